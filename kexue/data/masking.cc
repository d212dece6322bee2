#include "kexue/data/masking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "kexue/base/error.h"

namespace kexue::data {

Masking::Masking(const text::WordPiece& tokenizer, const MaskOptions& options)
    : options_(options) {
  const auto mask = tokenizer.mask_id();
  if (!mask) {
    throw Error(Code::kInvalidArgument,
                fmt::format("masking: the vocabulary has no {}",
                            tokenizer.options().mask));
  }
  if (!(options.probability > 0) || !(options.probability < 1) ||
      options.max_predictions < 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("masking: probability {} must be in (0, 1), "
                            "max_predictions {} at least 1",
                            options.probability,
                            options.max_predictions));
  }
  mask_id_ = *mask;
  const auto& vocabulary = tokenizer.vocabulary();
  const auto size = static_cast<size_t>(vocabulary.size());
  special_.resize(size);
  continues_.resize(size);
  for (size_t i = 0; i < size; ++i) {
    const auto id = static_cast<int32_t>(i);
    if (!vocabulary.has_id(id)) continue;
    all_.push_back(id);
    special_[i] = tokenizer.is_special(id) ? 1 : 0;
    continues_[i] =
        vocabulary.token(id).starts_with(vocabulary.prefix()) ? 1 : 0;
  }
}

// [begin, end) of what is chosen together.
std::vector<std::pair<size_t, size_t>> Masking::words(
    std::span<const int32_t> ids) const {
  std::vector<std::pair<size_t, size_t>> out;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<size_t>(ids[i]);
    if (special_.at(id) != 0) continue;
    const bool joins = options_.whole_words && continues_[id] != 0 &&
                       !out.empty() && out.back().second == i;
    if (joins) {
      out.back().second = i + 1;
    } else {
      out.emplace_back(i, i + 1);
    }
  }
  return out;
}

int32_t Masking::replacement(int32_t id, Random& random) const {
  const double u = random.uniform();
  if (u < 0.8) return mask_id_;
  return u < 0.9 ? id : all_[random.below(all_.size())];
}

int64_t Masking::most_choices(int64_t length) const {
  const auto len = static_cast<double>(length);
  if (options_.style == MaskOptions::Style::kBert) {
    const auto n =
        static_cast<int64_t>(std::nearbyint(options_.probability * len));
    return std::min(options_.max_predictions, std::max<int64_t>(1, n));
  }
  const double mean = options_.probability * len;
  const double spread = std::sqrt(mean * (1 - options_.probability));
  const auto most = static_cast<int64_t>(std::ceil(mean + 5 * spread));
  return std::clamp<int64_t>(most, 1, std::max<int64_t>(length, 1));
}

Masking::Choice Masking::mask(std::span<int32_t> ids, Key key) const {
  Random random(key);
  auto candidates = words(ids);
  const auto most =
      static_cast<size_t>(most_choices(static_cast<int64_t>(ids.size())));
  std::vector<size_t> chosen;
  const auto choose = [&](const std::pair<size_t, size_t>& word) {
    if (chosen.size() + word.second - word.first > most) return;
    for (size_t i = word.first; i < word.second; ++i) chosen.push_back(i);
  };
  if (options_.style == MaskOptions::Style::kBert) {
    for (size_t i = candidates.size(); i > 1; --i) {
      std::swap(candidates[i - 1], candidates[random.below(i)]);
    }
    for (const auto& word : candidates) choose(word);
  } else {
    for (const auto& word : candidates) {
      if (random.uniform() < options_.probability) choose(word);
    }
  }
  std::sort(chosen.begin(), chosen.end());
  Choice out;
  for (const size_t i : chosen) {
    out.positions.push_back(static_cast<int32_t>(i));
    out.tokens.push_back(ids[i]);
    ids[i] = replacement(ids[i], random);
  }
  return out;
}

}  // namespace kexue::data
