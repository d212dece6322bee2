"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<5x2xbf16>, %v1: tensor<2x3xi32>):
%v2 = "stablehlo.gather"(%v0, %v1) {dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, slice_sizes = array<i64: 1, 2>} : (tensor<5x2xbf16>, tensor<2x3xi32>) -> (tensor<2x3x2xbf16>)
%v3 = "stablehlo.constant"() {value = dense<4> : tensor<i32>} : () -> (tensor<i32>)
%v4 = "stablehlo.constant"() {value = dense<0> : tensor<i32>} : () -> (tensor<i32>)
%v5 = "stablehlo.broadcast_in_dim"(%v4) {broadcast_dimensions = array<i64>} : (tensor<i32>) -> (tensor<2x3xi32>)
%v6 = "stablehlo.maximum"(%v1, %v5) : (tensor<2x3xi32>, tensor<2x3xi32>) -> (tensor<2x3xi32>)
%v7 = "stablehlo.broadcast_in_dim"(%v3) {broadcast_dimensions = array<i64>} : (tensor<i32>) -> (tensor<2x3xi32>)
%v8 = "stablehlo.minimum"(%v6, %v7) : (tensor<2x3xi32>, tensor<2x3xi32>) -> (tensor<2x3xi32>)
%v9 = "stablehlo.constant"() {value = dense<0x0000> : tensor<bf16>} : () -> (tensor<bf16>)
%v10 = "stablehlo.broadcast_in_dim"(%v9) {broadcast_dimensions = array<i64>} : (tensor<bf16>) -> (tensor<5x2xbf16>)
%v14 = "stablehlo.scatter"(%v10, %v8, %v2) ({
^bb0(%v11: tensor<bf16>, %v12: tensor<bf16>):
%v13 = "stablehlo.add"(%v11, %v12) : (tensor<bf16>, tensor<bf16>) -> (tensor<bf16>)
"stablehlo.return"(%v13) : (tensor<bf16>) -> ()
}) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 2>, indices_are_sorted = false, unique_indices = false} : (tensor<5x2xbf16>, tensor<2x3xi32>, tensor<2x3x2xbf16>) -> (tensor<5x2xbf16>)
"func.return"(%v2, %v14) : (tensor<2x3x2xbf16>, tensor<5x2xbf16>) -> ()
}) {sym_name = "main", function_type = (tensor<5x2xbf16>, tensor<2x3xi32>) -> (tensor<2x3x2xbf16>, tensor<5x2xbf16>), arg_attrs = [{}, {}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
