// Tiger.
#pragma once

#include <string>
#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// m = b m + (1-b) g, d = a (sign(m) + decay w), with
//   a = 1/2 and no decay for names with one of `small` (biases, norms),
//   a = RMS of each row for names with one of `rows` (embedding tables),
//   a = RMS of the layer's tensor for the others.
//
// Numerics: a tensor at 0 has RMS 0 and stays there: start it elsewhere.
//           Steps that are not finite are skipped by the caller, so nothing is
//           shrunk as in the first program.
// Source:   Su 2023, kexue.fm/archives/9512, and its program.
struct TigerOptions {
  double beta = 0.965;
  double weight_decay = 0.01;
  std::vector<std::string> small = {"bias", "norm"};
  std::vector<std::string> rows = {"embeddings"};
};
class Tiger final : public Rule {
 public:
  // Errors: kInvalidArgument for beta outside of [0,1) or a decay < 0.
  explicit Tiger(TigerOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  TigerOptions options_;
};

}  // namespace kexue::optim
