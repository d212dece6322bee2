"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<64x64xf32>, %v1: tensor<64xf32>):
%v2 = "stablehlo.custom_call"(%v0, %v0) {call_target_name = "kexue_matmul", api_version = 4 : i32, backend_config = {sizes = array<i64: 1, 1, 64, 64, 64>, a_strides = array<i64: 1, 1, 64, 1>, b_strides = array<i64: 1, 1, 64, 1>, c_strides = array<i64: 1, 1, 64, 1>}} : (tensor<64x64xf32>, tensor<64x64xf32>) -> (tensor<64x64xf32>)
%v3 = "stablehlo.custom_call"(%v2) {call_target_name = "kexue_gelu", api_version = 4 : i32, backend_config = {}} : (tensor<64x64xf32>) -> (tensor<64x64xf32>)
%v4:3 = "stablehlo.custom_call"(%v3, %v1, %v1) {call_target_name = "kexue_layer_norm", api_version = 4 : i32, backend_config = {eps = 1.000000e-12 : f32}} : (tensor<64x64xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<64x64xf32>, tensor<64xf32>, tensor<64xf32>)
"func.return"(%v4#0) : (tensor<64x64xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<64x64xf32>, tensor<64xf32>) -> (tensor<64x64xf32>), arg_attrs = [{}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
