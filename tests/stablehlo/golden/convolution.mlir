"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<2x5x6x3xf32>, %v1: tensor<3x3x3x4xf32>):
%v2 = "stablehlo.convolution"(%v0, %v1) {window_strides = array<i64: 2, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x5x6x3xf32>, tensor<3x3x3x4xf32>) -> (tensor<2x3x6x4xf32>)
%v3 = "stablehlo.constant"() {value = dense<0x3F800000> : tensor<f32>} : () -> (tensor<f32>)
%v4 = "stablehlo.broadcast_in_dim"(%v3) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<2x3x6x4xf32>)
%v5 = "stablehlo.multiply"(%v4, %v2) : (tensor<2x3x6x4xf32>, tensor<2x3x6x4xf32>) -> (tensor<2x3x6x4xf32>)
%v6 = "stablehlo.add"(%v5, %v5) : (tensor<2x3x6x4xf32>, tensor<2x3x6x4xf32>) -> (tensor<2x3x6x4xf32>)
%v7 = "stablehlo.reverse"(%v1) {dimensions = array<i64: 0, 1>} : (tensor<3x3x3x4xf32>) -> (tensor<3x3x3x4xf32>)
%v8 = "stablehlo.convolution"(%v6, %v7) {window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 2, 1>, rhs_dilation = array<i64: 1, 1>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x3x6x4xf32>, tensor<3x3x3x4xf32>) -> (tensor<2x5x6x3xf32>)
%v9 = "stablehlo.convolution"(%v0, %v6) {window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 2, 1>, dimension_numbers = #stablehlo.conv<[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x5x6x3xf32>, tensor<2x3x6x4xf32>) -> (tensor<3x3x3x4xf32>)
"func.return"(%v8, %v9) : (tensor<2x5x6x3xf32>, tensor<3x3x3x4xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<2x5x6x3xf32>, tensor<3x3x3x4xf32>) -> (tensor<2x5x6x3xf32>, tensor<3x3x3x4xf32>), arg_attrs = [{}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
