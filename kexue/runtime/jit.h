// Functions of Values as compiled functions of arrays.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kexue/runtime/session.h"

namespace kexue::runtime {

// The graph of f for arguments of these types.
std::unique_ptr<ir::Graph> trace(const std::function<Values(const Values&)>& f,
                                 const std::vector<TensorType>& types);

// jit(session, f)(arrays): traces, compiles and runs f, once per combination
// of argument types. Values depend only on the arguments, never on the state
// of the surrounding C++ program at later calls.
class Jit final {
 public:
  Jit(const Session& session,
      std::function<Values(const Values&)> f,
      CompileOptions options = {});

  std::vector<HostArray> operator()(const std::vector<HostArray>& args);
  // The program for arguments of these types.
  const Program& program(const std::vector<TensorType>& types);

 private:
  const Session* session_;
  std::function<Values(const Values&)> f_;
  CompileOptions options_;
  std::map<std::string, std::unique_ptr<Program>> programs_;
};

inline Jit jit(const Session& session,
               std::function<Values(const Values&)> f,
               CompileOptions options = {}) {
  return {session, std::move(f), std::move(options)};
}

}  // namespace kexue::runtime
