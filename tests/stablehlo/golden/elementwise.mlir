"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<2x3xf32>):
%v1 = "stablehlo.constant"() {value = dense<0x40000000> : tensor<f32>} : () -> (tensor<f32>)
%v2 = "stablehlo.broadcast_in_dim"(%v1) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<2x3xf32>)
%v3 = "stablehlo.multiply"(%v0, %v2) : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>)
%v4 = "chlo.erf"(%v3) : (tensor<2x3xf32>) -> (tensor<2x3xf32>)
%v5 = "stablehlo.add"(%v4, %v0) : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>)
%v6 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> (tensor<f32>)
%v7 = "stablehlo.broadcast_in_dim"(%v6) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<2x3xf32>)
%v8 = "stablehlo.compare"(%v5, %v7) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xi1>)
%v9 = "stablehlo.select"(%v8, %v5, %v0) : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>)
"func.return"(%v9) : (tensor<2x3xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<2x3xf32>) -> (tensor<2x3xf32>), arg_attrs = [{}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
