"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<3x4xf32>):
%v1 = "stablehlo.iota"() {iota_dimension = 1 : i64} : () -> (tensor<3x4xi32>)
%v11:2 = "stablehlo.sort"(%v0, %v1) ({
^bb0(%v2: tensor<f32>, %v3: tensor<f32>, %v4: tensor<i32>, %v5: tensor<i32>):
%v6 = "stablehlo.compare"(%v2, %v3) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
%v7 = "stablehlo.compare"(%v2, %v2) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
%v8 = "stablehlo.compare"(%v3, %v3) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
%v9 = "stablehlo.and"(%v7, %v8) : (tensor<i1>, tensor<i1>) -> (tensor<i1>)
%v10 = "stablehlo.or"(%v6, %v9) : (tensor<i1>, tensor<i1>) -> (tensor<i1>)
"stablehlo.return"(%v10) : (tensor<i1>) -> ()
}) {dimension = 1 : i64, is_stable = true} : (tensor<3x4xf32>, tensor<3x4xi32>) -> (tensor<3x4xf32>, tensor<3x4xi32>)
%v12 = "stablehlo.slice"(%v11#0) {start_indices = array<i64: 0, 0>, limit_indices = array<i64: 3, 2>, strides = array<i64: 1, 1>} : (tensor<3x4xf32>) -> (tensor<3x2xf32>)
%v13 = "stablehlo.slice"(%v11#1) {start_indices = array<i64: 0, 0>, limit_indices = array<i64: 3, 2>, strides = array<i64: 1, 1>} : (tensor<3x4xi32>) -> (tensor<3x2xi32>)
%v14 = "stablehlo.constant"() {value = dense<0x40000000> : tensor<f32>} : () -> (tensor<f32>)
%v15 = "stablehlo.broadcast_in_dim"(%v14) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<3x2xf32>)
%v16 = "stablehlo.multiply"(%v12, %v15) : (tensor<3x2xf32>, tensor<3x2xf32>) -> (tensor<3x2xf32>)
%v20 = "stablehlo.scatter"(%v0, %v13, %v16) ({
^bb0(%v17: tensor<f32>, %v18: tensor<f32>):
%v19 = "stablehlo.maximum"(%v17, %v18) : (tensor<f32>, tensor<f32>) -> (tensor<f32>)
"stablehlo.return"(%v19) : (tensor<f32>) -> ()
}) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [], inserted_window_dims = [1], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 2>, indices_are_sorted = false, unique_indices = false} : (tensor<3x4xf32>, tensor<3x2xi32>, tensor<3x2xf32>) -> (tensor<3x4xf32>)
%v28 = "stablehlo.sort"(%v0) ({
^bb0(%v21: tensor<f32>, %v22: tensor<f32>):
%v23 = "stablehlo.compare"(%v21, %v22) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
%v24 = "stablehlo.compare"(%v21, %v21) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
%v25 = "stablehlo.compare"(%v22, %v22) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<f32>, tensor<f32>) -> (tensor<i1>)
%v26 = "stablehlo.and"(%v24, %v25) : (tensor<i1>, tensor<i1>) -> (tensor<i1>)
%v27 = "stablehlo.or"(%v23, %v26) : (tensor<i1>, tensor<i1>) -> (tensor<i1>)
"stablehlo.return"(%v27) : (tensor<i1>) -> ()
}) {dimension = 1 : i64, is_stable = true} : (tensor<3x4xf32>) -> (tensor<3x4xf32>)
"func.return"(%v28, %v20) : (tensor<3x4xf32>, tensor<3x4xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>), arg_attrs = [{}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
