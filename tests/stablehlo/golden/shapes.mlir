"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<2x3xf16>, %v1: tensor<i32>):
%v2 = "stablehlo.transpose"(%v0) {permutation = array<i64: 1, 0>} : (tensor<2x3xf16>) -> (tensor<3x2xf16>)
%v3 = "stablehlo.constant"() {value = dense<0xBC00> : tensor<f16>} : () -> (tensor<f16>)
%v4 = "stablehlo.pad"(%v2, %v3) {edge_padding_low = array<i64: 1, 0>, edge_padding_high = array<i64: 0, 2>, interior_padding = array<i64: 0, 0>} : (tensor<3x2xf16>, tensor<f16>) -> (tensor<4x4xf16>)
%v5 = "stablehlo.dynamic_slice"(%v4, %v1, %v1) {slice_sizes = array<i64: 2, 2>} : (tensor<4x4xf16>, tensor<i32>, tensor<i32>) -> (tensor<2x2xf16>)
%v6 = "stablehlo.reverse"(%v5) {dimensions = array<i64: 1>} : (tensor<2x2xf16>) -> (tensor<2x2xf16>)
%v7 = "stablehlo.concatenate"(%v5, %v6) {dimension = 0 : i64} : (tensor<2x2xf16>, tensor<2x2xf16>) -> (tensor<4x2xf16>)
%v8 = "stablehlo.dynamic_update_slice"(%v4, %v5, %v1, %v1) : (tensor<4x4xf16>, tensor<2x2xf16>, tensor<i32>, tensor<i32>) -> (tensor<4x4xf16>)
%v9 = "stablehlo.slice"(%v7) {start_indices = array<i64: 1, 0>, limit_indices = array<i64: 3, 1>, strides = array<i64: 1, 1>} : (tensor<4x2xf16>) -> (tensor<2x1xf16>)
%v10 = "stablehlo.convert"(%v7) : (tensor<4x2xf16>) -> (tensor<4x2xf32>)
%v11 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> (tensor<f32>)
%v15 = "stablehlo.reduce"(%v10, %v11) ({
^bb0(%v12: tensor<f32>, %v13: tensor<f32>):
%v14 = "stablehlo.add"(%v12, %v13) : (tensor<f32>, tensor<f32>) -> (tensor<f32>)
"stablehlo.return"(%v14) : (tensor<f32>) -> ()
}) {dimensions = array<i64: 0>} : (tensor<4x2xf32>, tensor<f32>) -> (tensor<2xf32>)
%v16 = "stablehlo.convert"(%v15) : (tensor<2xf32>) -> (tensor<2xf16>)
%v17 = "stablehlo.constant"() {value = dense<0xFC00> : tensor<f16>} : () -> (tensor<f16>)
%v21 = "stablehlo.reduce"(%v7, %v17) ({
^bb0(%v18: tensor<f16>, %v19: tensor<f16>):
%v20 = "stablehlo.maximum"(%v18, %v19) : (tensor<f16>, tensor<f16>) -> (tensor<f16>)
"stablehlo.return"(%v20) : (tensor<f16>) -> ()
}) {dimensions = array<i64: 1>} : (tensor<4x2xf16>, tensor<f16>) -> (tensor<4xf16>)
%v22 = "stablehlo.reshape"(%v21) : (tensor<4xf16>) -> (tensor<4x1xf16>)
%v23 = "stablehlo.iota"() {iota_dimension = 1 : i64} : () -> (tensor<4x2xi32>)
%v24 = "stablehlo.constant"() {value = dense<2147483647> : tensor<i32>} : () -> (tensor<i32>)
%v25 = "stablehlo.broadcast_in_dim"(%v24) {broadcast_dimensions = array<i64>} : (tensor<i32>) -> (tensor<4x2xi32>)
%v26 = "stablehlo.broadcast_in_dim"(%v22) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<4x1xf16>) -> (tensor<4x2xf16>)
%v27 = "stablehlo.compare"(%v7, %v26) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<4x2xf16>, tensor<4x2xf16>) -> (tensor<4x2xi1>)
%v28 = "stablehlo.select"(%v27, %v23, %v25) : (tensor<4x2xi1>, tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>)
%v29 = "stablehlo.constant"() {value = dense<2147483647> : tensor<i32>} : () -> (tensor<i32>)
%v33 = "stablehlo.reduce"(%v28, %v29) ({
^bb0(%v30: tensor<i32>, %v31: tensor<i32>):
%v32 = "stablehlo.minimum"(%v30, %v31) : (tensor<i32>, tensor<i32>) -> (tensor<i32>)
"stablehlo.return"(%v32) : (tensor<i32>) -> ()
}) {dimensions = array<i64: 1>} : (tensor<4x2xi32>, tensor<i32>) -> (tensor<4xi32>)
"func.return"(%v8, %v9, %v16, %v33) : (tensor<4x4xf16>, tensor<2x1xf16>, tensor<2xf16>, tensor<4xi32>) -> ()
}) {sym_name = "main", function_type = (tensor<2x3xf16>, tensor<i32>) -> (tensor<4x4xf16>, tensor<2x1xf16>, tensor<2xf16>, tensor<4xi32>), arg_attrs = [{}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
