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
%v23 = "stablehlo.broadcast_in_dim"(%v22) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<4x1xf16>) -> (tensor<4x2xf16>)
%v24 = "stablehlo.compare"(%v7, %v23) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<4x2xf16>, tensor<4x2xf16>) -> (tensor<4x2xi1>)
%v25 = "stablehlo.compare"(%v7, %v7) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<4x2xf16>, tensor<4x2xf16>) -> (tensor<4x2xi1>)
%v26 = "stablehlo.constant"() {value = dense<false> : tensor<i1>} : () -> (tensor<i1>)
%v30 = "stablehlo.reduce"(%v25, %v26) ({
^bb0(%v27: tensor<i1>, %v28: tensor<i1>):
%v29 = "stablehlo.maximum"(%v27, %v28) : (tensor<i1>, tensor<i1>) -> (tensor<i1>)
"stablehlo.return"(%v29) : (tensor<i1>) -> ()
}) {dimensions = array<i64: 1>} : (tensor<4x2xi1>, tensor<i1>) -> (tensor<4xi1>)
%v31 = "stablehlo.reshape"(%v30) : (tensor<4xi1>) -> (tensor<4x1xi1>)
%v32 = "stablehlo.broadcast_in_dim"(%v31) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<4x1xi1>) -> (tensor<4x2xi1>)
%v33 = "stablehlo.select"(%v32, %v25, %v24) : (tensor<4x2xi1>, tensor<4x2xi1>, tensor<4x2xi1>) -> (tensor<4x2xi1>)
%v34 = "stablehlo.iota"() {iota_dimension = 1 : i64} : () -> (tensor<4x2xi32>)
%v35 = "stablehlo.constant"() {value = dense<2147483647> : tensor<i32>} : () -> (tensor<i32>)
%v36 = "stablehlo.broadcast_in_dim"(%v35) {broadcast_dimensions = array<i64>} : (tensor<i32>) -> (tensor<4x2xi32>)
%v37 = "stablehlo.select"(%v33, %v34, %v36) : (tensor<4x2xi1>, tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>)
%v38 = "stablehlo.constant"() {value = dense<2147483647> : tensor<i32>} : () -> (tensor<i32>)
%v42 = "stablehlo.reduce"(%v37, %v38) ({
^bb0(%v39: tensor<i32>, %v40: tensor<i32>):
%v41 = "stablehlo.minimum"(%v39, %v40) : (tensor<i32>, tensor<i32>) -> (tensor<i32>)
"stablehlo.return"(%v41) : (tensor<i32>) -> ()
}) {dimensions = array<i64: 1>} : (tensor<4x2xi32>, tensor<i32>) -> (tensor<4xi32>)
"func.return"(%v8, %v9, %v16, %v42) : (tensor<4x4xf16>, tensor<2x1xf16>, tensor<2xf16>, tensor<4xi32>) -> ()
}) {sym_name = "main", function_type = (tensor<2x3xf16>, tensor<i32>) -> (tensor<4x4xf16>, tensor<2x1xf16>, tensor<2xf16>, tensor<4xi32>), arg_attrs = [{}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
