"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<8xf32>, %v1: tensor<8xf32>, %v2: tensor<f32>):
%v3:3 = "stablehlo.custom_call"(%v0, %v0, %v0, %v1, %v2, %v2, %v2, %v2, %v2) {call_target_name = "kexue_adamw", api_version = 4 : i32, backend_config = {beta1 = 9.000000000e-01 : f32, beta2 = 9.900000000e-01 : f32, rest1 = 1.000000000e-01 : f32, rest2 = 1.000000000e-02 : f32}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [1], operand_index = 1, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [2], operand_index = 2, operand_tuple_indices = []>]} : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
"func.return"(%v3#0, %v3#1, %v3#2) : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<8xf32>, tensor<8xf32>, tensor<f32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>), arg_attrs = [{}, {}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
