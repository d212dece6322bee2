// Shared by training and inference. Private to kexue/train.
#pragma once

#include <functional>
#include <string>

#include "kexue/models/bert.h"
#include "kexue/runtime/session.h"
#include "kexue/text/wordpiece.h"
#include "kexue/train/step.h"

namespace kexue::train::detail {

// The fields "ids", "types" and "mask" of a batch.
models::BertInputs bert_inputs(const BatchValues& batch);

// kInvalidArgument naming both sizes if the tokenizer has ids that the model
// has no row for, or if sequences of `max_length` are longer than its position
// table.
void check_fits(const models::BertConfig& config,
                const text::WordPiece& tokenizer,
                int64_t max_length,
                const std::string& folder);

// Runs `compile`. A compiler that fails on 16-bit types says so in its own
// words, if at all: when it fails, and fails again on one small product in
// `compute`, the error becomes kUnsupported naming plugin and dtype.
void explain_dtype(const runtime::Session& session,
                   DType compute,
                   const std::function<void()>& compile);

}  // namespace kexue::train::detail
