#include "kexue/train/detail/support.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::train::detail {
namespace {

// x y in `dtype`; true if the plugin compiles it.
bool compiles_product(const runtime::Session& session, DType dtype) {
  ir::Graph graph;
  const ir::Tracing tracing(graph);
  const Value x = graph.input({dtype, {8, 8}}, "x");
  graph.set_outputs({ops::matmul(x, x)});
  try {
    session.compile(graph);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

models::BertInputs bert_inputs(const BatchValues& batch) {
  return {batch.at("ids"), batch.at("types"), batch.at("mask")};
}

void check_fits(const models::BertConfig& config,
                const text::WordPiece& tokenizer,
                int64_t max_length,
                const std::string& folder) {
  const int64_t ids = tokenizer.vocabulary().size();
  if (ids > config.vocab) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: the tokenizer has {} ids, but the embedding "
                            "table {} rows",
                            folder,
                            ids,
                            config.vocab),
                "tokenizer and weights do not belong together");
  }
  if (max_length > config.positions) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("{}: sequences of up to {} tokens are asked for, "
                    "but the position table has {} rows",
                    folder,
                    max_length,
                    config.positions),
        fmt::format("use a max_length of at most {}", config.positions));
  }
}

void explain_dtype(const runtime::Session& session,
                   DType compute,
                   const std::function<void()>& compile) {
  try {
    compile();
  } catch (const Error& e) {
    const bool wide = compute == DType::kF32 || compute == DType::kF64;
    if (e.code() != Code::kDevice || wide ||
        compiles_product(session, compute)) {
      throw;
    }
    throw Error(Code::kUnsupported,
                fmt::format("plugin {} cannot compile {}: {}",
                            session.client().plugin().path().string(),
                            name(compute),
                            e.text()),
                "use precision f32, or another plugin");
  }
}

}  // namespace kexue::train::detail
