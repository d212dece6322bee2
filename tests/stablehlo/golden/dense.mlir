"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<4x3xf32>, %v1: tensor<3x2xf32>, %v2: tensor<2xf32>):
%v3 = "stablehlo.dot_general"(%v0, %v1) {dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [], rhs_batching_dimensions = [], lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [0]>} : (tensor<4x3xf32>, tensor<3x2xf32>) -> (tensor<4x2xf32>)
%v4 = "stablehlo.broadcast_in_dim"(%v2) {broadcast_dimensions = array<i64: 1>} : (tensor<2xf32>) -> (tensor<4x2xf32>)
%v5 = "stablehlo.add"(%v3, %v4) : (tensor<4x2xf32>, tensor<4x2xf32>) -> (tensor<4x2xf32>)
%v6 = "stablehlo.tanh"(%v5) : (tensor<4x2xf32>) -> (tensor<4x2xf32>)
%v7 = "stablehlo.constant"() {value = dense<0x3F800000> : tensor<f32>} : () -> (tensor<f32>)
%v8 = "stablehlo.broadcast_in_dim"(%v7) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<4x2xf32>)
%v9 = "stablehlo.multiply"(%v6, %v6) : (tensor<4x2xf32>, tensor<4x2xf32>) -> (tensor<4x2xf32>)
%v10 = "stablehlo.subtract"(%v8, %v9) : (tensor<4x2xf32>, tensor<4x2xf32>) -> (tensor<4x2xf32>)
%v11 = "stablehlo.multiply"(%v8, %v10) : (tensor<4x2xf32>, tensor<4x2xf32>) -> (tensor<4x2xf32>)
%v12 = "stablehlo.dot_general"(%v0, %v11) {dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [], rhs_batching_dimensions = [], lhs_contracting_dimensions = [0], rhs_contracting_dimensions = [0]>} : (tensor<4x3xf32>, tensor<4x2xf32>) -> (tensor<3x2xf32>)
%v13 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> (tensor<f32>)
%v17 = "stablehlo.reduce"(%v11, %v13) ({
^bb0(%v14: tensor<f32>, %v15: tensor<f32>):
%v16 = "stablehlo.add"(%v14, %v15) : (tensor<f32>, tensor<f32>) -> (tensor<f32>)
"stablehlo.return"(%v16) : (tensor<f32>) -> ()
}) {dimensions = array<i64: 0>} : (tensor<4x2xf32>, tensor<f32>) -> (tensor<2xf32>)
"func.return"(%v12, %v17) : (tensor<3x2xf32>, tensor<2xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<4x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> (tensor<3x2xf32>, tensor<2xf32>), arg_attrs = [{}, {}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
