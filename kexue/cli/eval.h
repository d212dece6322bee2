// What evaluations of a trained model print.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/cli/commands.h"
#include "kexue/data/dataset.h"
#include "kexue/train/inference.h"
#include "kexue/train/metric_values.h"

namespace kexue::cli {

struct ClassCount {
  int64_t rows = 0;       // that have the label
  int64_t predicted = 0;  // that were given it
  int64_t right = 0;
};

struct EvalResult {
  train::MetricValues metrics;
  std::vector<ClassCount> classes = {};  // of a classifier
  int64_t masked = 0;                    // tokens; of a masked language model
  std::vector<std::string> lines = {};   // all of it for people
};

// Loss, accuracy, counts by class.
EvalResult eval_classes(train::Inference& model,
                        const data::Dataset& rows,
                        const std::string& file);
// Of a model with one output.
EvalResult eval_scores(train::Inference& model,
                       const data::Dataset& rows,
                       const EvalOptions& options);
// Loss, accuracy and perplexity of masked tokens.
// Errors: kInvalidArgument if none was masked.
EvalResult eval_masked(train::Inference& model,
                       const data::Dataset& rows,
                       const EvalOptions& options);

}  // namespace kexue::cli
