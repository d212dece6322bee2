"builtin.module"() ({
"func.func"() ({
^bb0(%v0: tensor<2x8xf32>):
%v1 = "stablehlo.fft"(%v0) {fft_type = #stablehlo<fft_type RFFT>, fft_length = array<i64: 8>} : (tensor<2x8xf32>) -> (tensor<2x5xcomplex<f32>>)
%v2 = "stablehlo.real"(%v1) : (tensor<2x5xcomplex<f32>>) -> (tensor<2x5xf32>)
%v3 = "stablehlo.imag"(%v1) : (tensor<2x5xcomplex<f32>>) -> (tensor<2x5xf32>)
%v4 = "stablehlo.negate"(%v3) : (tensor<2x5xf32>) -> (tensor<2x5xf32>)
%v5 = "stablehlo.complex"(%v2, %v4) : (tensor<2x5xf32>, tensor<2x5xf32>) -> (tensor<2x5xcomplex<f32>>)
%v6 = "stablehlo.multiply"(%v1, %v5) : (tensor<2x5xcomplex<f32>>, tensor<2x5xcomplex<f32>>) -> (tensor<2x5xcomplex<f32>>)
%v7 = "stablehlo.fft"(%v6) {fft_type = #stablehlo<fft_type IRFFT>, fft_length = array<i64: 8>} : (tensor<2x5xcomplex<f32>>) -> (tensor<2x8xf32>)
%v8 = "stablehlo.abs"(%v1) : (tensor<2x5xcomplex<f32>>) -> (tensor<2x5xf32>)
"func.return"(%v7, %v8) : (tensor<2x8xf32>, tensor<2x5xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x5xf32>), arg_attrs = [{}]} : () -> ()
}) {sym_name = "kexue"} : () -> ()
