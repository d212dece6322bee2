"builtin.module"() ({
"sdy.mesh"() {mesh = #sdy.mesh<["data"=2, "model"=2]>, sym_name = "mesh"} : () -> ()
"func.func"() ({
^bb0(%v0: tensor<4x6xf32>):
%v1 = "stablehlo.constant"() {value = dense<0x40000000> : tensor<f32>} : () -> (tensor<f32>)
%v2 = "stablehlo.broadcast_in_dim"(%v1) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<4x6xf32>)
%v3 = "stablehlo.multiply"(%v0, %v2) : (tensor<4x6xf32>, tensor<4x6xf32>) -> (tensor<4x6xf32>)
%v4 = "sdy.sharding_constraint"(%v3) {sharding = #sdy.sharding<@mesh, [{"data"}, {"model"}]>} : (tensor<4x6xf32>) -> (tensor<4x6xf32>)
%v5 = "stablehlo.exponential"(%v4) : (tensor<4x6xf32>) -> (tensor<4x6xf32>)
"func.return"(%v5) : (tensor<4x6xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<4x6xf32>) -> (tensor<4x6xf32>), arg_attrs = [{tf.aliasing_output = 0 : i32, sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}], res_attrs = [{sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}]} : () -> ()
}) {sym_name = "kexue", mhlo.num_partitions = 4 : i32, mhlo.num_replicas = 1 : i32} : () -> ()
