"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<2xf32>, %v1: tensor<4x2xf32>, %v2: tensor<f32>):
%v3 = "stablehlo.broadcast_in_dim"(%v2) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<2xf32>)
%v4 = "stablehlo.constant"() {value = dense<0> : tensor<i32>} : () -> (tensor<i32>)
%v5 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> (tensor<f32>)
%v6 = "stablehlo.broadcast_in_dim"(%v5) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<4xf32>)
%v35:5 = "stablehlo.while"(%v4, %v0, %v6, %v1, %v3) ({
^bb0(%v7: tensor<i32>, %v8: tensor<2xf32>, %v9: tensor<4xf32>, %v10: tensor<4x2xf32>, %v11: tensor<2xf32>):
%v12 = "stablehlo.constant"() {value = dense<4> : tensor<i32>} : () -> (tensor<i32>)
%v13 = "stablehlo.compare"(%v7, %v12) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<i32>, tensor<i32>) -> (tensor<i1>)
"stablehlo.return"(%v13) : (tensor<i1>) -> ()
}, {
^bb0(%v14: tensor<i32>, %v15: tensor<2xf32>, %v16: tensor<4xf32>, %v17: tensor<4x2xf32>, %v18: tensor<2xf32>):
%v19 = "stablehlo.constant"() {value = dense<3> : tensor<i32>} : () -> (tensor<i32>)
%v20 = "stablehlo.subtract"(%v19, %v14) : (tensor<i32>, tensor<i32>) -> (tensor<i32>)
%v21 = "stablehlo.constant"() {value = dense<0> : tensor<i32>} : () -> (tensor<i32>)
%v22 = "stablehlo.dynamic_slice"(%v17, %v20, %v21) {slice_sizes = array<i64: 1, 2>} : (tensor<4x2xf32>, tensor<i32>, tensor<i32>) -> (tensor<1x2xf32>)
%v23 = "stablehlo.reshape"(%v22) : (tensor<1x2xf32>) -> (tensor<2xf32>)
%v24 = "stablehlo.multiply"(%v15, %v18) : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>)
%v25 = "stablehlo.add"(%v24, %v23) : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>)
%v26 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> (tensor<f32>)
%v30 = "stablehlo.reduce"(%v25, %v26) ({
^bb0(%v27: tensor<f32>, %v28: tensor<f32>):
%v29 = "stablehlo.add"(%v27, %v28) : (tensor<f32>, tensor<f32>) -> (tensor<f32>)
"stablehlo.return"(%v29) : (tensor<f32>) -> ()
}) {dimensions = array<i64: 0>} : (tensor<2xf32>, tensor<f32>) -> (tensor<f32>)
%v31 = "stablehlo.constant"() {value = dense<1> : tensor<i32>} : () -> (tensor<i32>)
%v32 = "stablehlo.add"(%v14, %v31) : (tensor<i32>, tensor<i32>) -> (tensor<i32>)
%v33 = "stablehlo.reshape"(%v30) : (tensor<f32>) -> (tensor<1xf32>)
%v34 = "stablehlo.dynamic_update_slice"(%v16, %v33, %v20) : (tensor<4xf32>, tensor<1xf32>, tensor<i32>) -> (tensor<4xf32>)
"stablehlo.return"(%v32, %v25, %v34, %v17, %v18) : (tensor<i32>, tensor<2xf32>, tensor<4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> ()
}) : (tensor<i32>, tensor<2xf32>, tensor<4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> (tensor<i32>, tensor<2xf32>, tensor<4xf32>, tensor<4x2xf32>, tensor<2xf32>)
"func.return"(%v35#1, %v35#2) : (tensor<2xf32>, tensor<4xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<2xf32>, tensor<4x2xf32>, tensor<f32>) -> (tensor<2xf32>, tensor<4xf32>), arg_attrs = [{}, {}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
