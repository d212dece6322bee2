"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<3xf32>, %v1: tensor<i1>):
%v2 = "stablehlo.convert"(%v1) : (tensor<i1>) -> (tensor<i32>)
%v7 = "stablehlo.case"(%v2) ({
%v3 = "stablehlo.constant"() {value = dense<0x40000000> : tensor<f32>} : () -> (tensor<f32>)
%v4 = "stablehlo.broadcast_in_dim"(%v3) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<3xf32>)
%v5 = "stablehlo.multiply"(%v0, %v4) : (tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>)
"stablehlo.return"(%v5) : (tensor<3xf32>) -> ()
}, {
%v6 = "stablehlo.exponential"(%v0) : (tensor<3xf32>) -> (tensor<3xf32>)
"stablehlo.return"(%v6) : (tensor<3xf32>) -> ()
}) : (tensor<i32>) -> (tensor<3xf32>)
%v20:2 = "stablehlo.while"(%v0, %v7) ({
^bb0(%v8: tensor<3xf32>, %v9: tensor<3xf32>):
%v10 = "stablehlo.constant"() {value = dense<0x41200000> : tensor<f32>} : () -> (tensor<f32>)
%v11 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> (tensor<f32>)
%v15 = "stablehlo.reduce"(%v8, %v11) ({
^bb0(%v12: tensor<f32>, %v13: tensor<f32>):
%v14 = "stablehlo.add"(%v12, %v13) : (tensor<f32>, tensor<f32>) -> (tensor<f32>)
"stablehlo.return"(%v14) : (tensor<f32>) -> ()
}) {dimensions = array<i64: 0>} : (tensor<3xf32>, tensor<f32>) -> (tensor<f32>)
%v16 = "stablehlo.compare"(%v15, %v10) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
"stablehlo.return"(%v16) : (tensor<i1>) -> ()
}, {
^bb0(%v17: tensor<3xf32>, %v18: tensor<3xf32>):
%v19 = "stablehlo.add"(%v17, %v18) : (tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>)
"stablehlo.return"(%v19, %v18) : (tensor<3xf32>, tensor<3xf32>) -> ()
}) : (tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
"func.return"(%v20#0) : (tensor<3xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<3xf32>, tensor<i1>) -> (tensor<3xf32>), arg_attrs = [{}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
