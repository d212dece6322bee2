// Where in the user's source an op was asked for.
#pragma once

#include <source_location>
#include <string>

#include "kexue/base/error.h"
#include "kexue/ir/value.h"

namespace kexue::ir {

// A Value as an op's first argument: the implicit conversion notes the line
// that calls the op. Ops called inside that op keep the outer line, so a node
// carries the line of the user, not of the library.
//
//   Value relu(const Arg& x);   // relu(h) at model.cc:12 -> "model.cc:12"
class Arg final : public Value {
 public:
  Arg(const Value& v,  // NOLINT(google-explicit-constructor): the point of it
      const std::source_location& where = std::source_location::current());
  ~Arg();
  Arg(const Arg&) = delete;
  Arg& operator=(const Arg&) = delete;

 private:
  bool outermost_;
};

// The line that new nodes get; no line (line() == 0) outside of a call.
const std::source_location& current_location();
// "model.cc:12", the file without its folders; "" if there is no line.
std::string to_string(const std::source_location& where);
// The same error with the scope and the line of the call in progress, for
// ops that refuse before there is a node (Graph::add does it for the rest).
Error located(const Error& e);

// While a user's function runs that an op was given (a branch): its ops carry
// the lines where they stand, not that of the op.
class UserCode final {
 public:
  UserCode();
  ~UserCode();
  UserCode(const UserCode&) = delete;
  UserCode& operator=(const UserCode&) = delete;

 private:
  std::source_location where_;
  bool was_inside_;
};

// Gives nodes added meanwhile the scope and the line of another node, and its
// order, raised by `derivatives`.
class NodeOrigin final {
 public:
  explicit NodeOrigin(const Node& node, int derivatives = 0);
  // Raises the order alone.
  explicit NodeOrigin(int derivatives);
  ~NodeOrigin();
  NodeOrigin(const NodeOrigin&) = delete;
  NodeOrigin& operator=(const NodeOrigin&) = delete;

 private:
  std::string scope_;
  std::source_location where_;
  bool was_inside_;
  int order_;
};

}  // namespace kexue::ir

namespace kexue {
using ir::Arg;
}  // namespace kexue
