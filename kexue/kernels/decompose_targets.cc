#include "kexue/kernels/decompose_targets.h"

#include <string>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/kernels/decompose.h"

namespace kexue::kernels::detail {
namespace {

using pjrt::FfiBuffer;
using pjrt::FfiCall;

void require(bool ok, std::string_view what) {
  if (ok) return;
  throw Error(Code::kInvalidArgument,
              "kernels: custom call with wrong " + std::string(what));
}

// The matrices of argument 0, and the checks that all results share.
struct Matrices {
  int64_t batch = 1, m = 0, n = 0;

  Matrices(const FfiCall& call, size_t args, size_t results) {
    require(call.args().size() == args, "number of arguments");
    require(call.results().size() == results, "number of results");
    const auto dims = call.args()[0].dims;
    require(dims.size() >= 2, "rank");
    for (size_t i = 0; i + 2 < dims.size(); ++i) batch *= dims[i];
    m = dims[dims.size() - 2];
    n = dims[dims.size() - 1];
  }

  void want_square() const { require(m == n, "shape: not square"); }
  void want_tall() const { require(m >= n, "shape: m < n"); }
};

// The data of a buffer that must hold `count` elements of T.
template <class T>
T* typed(const FfiBuffer& x, int64_t count) {
  int64_t n = 1;
  for (const int64_t d : x.dims) n *= d;
  require(x.dtype == dtype_of<T> && n == count, "type or size");
  return static_cast<T*>(x.data);
}

template <class T>
void run_cholesky(const FfiCall& call) {
  const Matrices a(call, 1, 1);
  a.want_square();
  const int64_t size = a.batch * a.n * a.n;
  cholesky<T>(a.batch,
              a.n,
              typed<T>(call.args()[0], size),
              typed<T>(call.results()[0], size));
}

template <class T>
void run_triangular_solve(const FfiCall& call) {
  const Matrices a(call, 2, 1);
  a.want_square();
  const auto flag = [&](std::string_view name) {
    return call.attr_int(name) != 0;
  };
  const bool left = flag("left");
  const auto b = call.args()[1].dims;
  require(b.size() == call.args()[0].dims.size(), "rank");
  const int64_t rows = b[b.size() - 2];
  const int64_t cols = b[b.size() - 1];
  require((left ? rows : cols) == a.n, "shape of b");
  const TriangularSpec spec{.batch = a.batch,
                            .n = a.n,
                            .columns = left ? cols : rows,
                            .lower = flag("lower"),
                            .transpose = flag("transpose"),
                            .left = left,
                            .unit = flag("unit")};
  const int64_t size = a.batch * rows * cols;
  triangular_solve<T>(spec,
                      typed<T>(call.args()[0], a.batch * a.n * a.n),
                      typed<T>(call.args()[1], size),
                      typed<T>(call.results()[0], size));
}

template <class T>
void run_lu(const FfiCall& call) {
  const Matrices a(call, 1, 3);
  a.want_square();
  const int64_t size = a.batch * a.n * a.n;
  lu<T>(a.batch,
        a.n,
        typed<T>(call.args()[0], size),
        typed<T>(call.results()[0], size),
        typed<int32_t>(call.results()[1], a.batch * a.n),
        typed<T>(call.results()[2], a.batch));
}

template <class T>
void run_qr(const FfiCall& call) {
  const Matrices a(call, 1, 2);
  a.want_tall();
  qr<T>(a.batch,
        a.m,
        a.n,
        typed<T>(call.args()[0], a.batch * a.m * a.n),
        typed<T>(call.results()[0], a.batch * a.m * a.n),
        typed<T>(call.results()[1], a.batch * a.n * a.n));
}

template <class T>
void run_eigh(const FfiCall& call) {
  const Matrices a(call, 1, 2);
  a.want_square();
  const int64_t size = a.batch * a.n * a.n;
  eigh<T>(a.batch,
          a.n,
          typed<T>(call.args()[0], size),
          typed<T>(call.results()[0], a.batch * a.n),
          typed<T>(call.results()[1], size));
}

template <class T>
void run_svd(const FfiCall& call) {
  const Matrices a(call, 1, 3);
  a.want_tall();
  svd<T>(a.batch,
         a.m,
         a.n,
         typed<T>(call.args()[0], a.batch * a.m * a.n),
         typed<T>(call.results()[0], a.batch * a.m * a.n),
         typed<T>(call.results()[1], a.batch * a.n),
         typed<T>(call.results()[2], a.batch * a.n * a.n));
}

// By the type of the first argument.
template <pjrt::FfiFunction kF32, pjrt::FfiFunction kF64>
void by_type(const FfiCall& call) {
  require(!call.args().empty(), "number of arguments");
  call.args()[0].dtype == DType::kF64 ? kF64(call) : kF32(call);
}

}  // namespace

std::vector<pjrt::FfiTarget> decompose_targets() {
  using pjrt::ffi_target;
  return {
      ffi_target<by_type<run_cholesky<float>, run_cholesky<double>>>(
          "kexue_cholesky"),
      ffi_target<
          by_type<run_triangular_solve<float>, run_triangular_solve<double>>>(
          "kexue_triangular_solve"),
      ffi_target<by_type<run_lu<float>, run_lu<double>>>("kexue_lu"),
      ffi_target<by_type<run_qr<float>, run_qr<double>>>("kexue_qr"),
      ffi_target<by_type<run_eigh<float>, run_eigh<double>>>("kexue_eigh"),
      ffi_target<by_type<run_svd<float>, run_svd<double>>>("kexue_svd"),
  };
}

}  // namespace kexue::kernels::detail
