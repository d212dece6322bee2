#include "benchmarks/works/work.h"

#include <fmt/format.h>

#include <charconv>

#include "kexue/base/error.h"

namespace kexue::works {

namespace {

std::vector<WorkDef> list_works() {
  std::vector<WorkDef> works = {
      {"bert-train",
       "one step of masked-token training, AdamW",
       {{"L", 4}, {"H", 256}, {"B", 16}, {"T", 128}, {"V", 8000}, {"M", 20}},
       make_bert_train},
      {"bert-embed",
       "unit vectors of sentences, mean over tokens",
       {{"L", 6}, {"H", 384}, {"B", 32}, {"T", 128}, {"V", 8000}},
       make_bert_embed},
      {"bert-embed-mixed",
       "unit vectors of N sentences of mixed lengths, in length buckets",
       {{"L", 6}, {"H", 384}, {"N", 512}, {"T", 128}, {"V", 8000}},
       make_bert_embed_mixed},
      {"gpt-train",
       "one step of a decoder with RoPE and tied softmax, AdamW",
       {{"L", 6}, {"H", 256}, {"B", 8}, {"T", 256}, {"V", 8000}},
       make_gpt_train},
      {"unet-train",
       "one DDPM step of a U-Net on 28 x 28 images, AdamW and EMA",
       {{"C", 32}, {"B", 32}},
       make_unet_train},
      {"mlp-wgan-gp",
       "a critic and a generator step in the plane, gradient penalty",
       {{"H", 256}, {"B", 256}, {"Z", 2}},
       make_mlp_wgan_gp},
      {"lru-scan",
       "one step of a complex diagonal recurrence, sequential, AdamW",
       {{"B", 8}, {"T", 2048}, {"D", 256}, {"N", 256}},
       make_lru_scan},
      {"deep-scan",
       "one step of a 200-layer encoder, AdamW",
       {{"L", 200}, {"H", 128}, {"B", 8}, {"T", 128}},
       make_deep_scan},
      {"cosent",
       "loss and gradient of CoSENT over all pairs of N scored pairs",
       {{"N", 4096}, {"G", 6}},
       make_cosent},
      {"knn",
       "the K nearest of N rows for each of Q queries, by inner product",
       {{"Q", 20'000}, {"N", 100'000}, {"D", 384}, {"K", 10}, {"B", 1000}},
       make_knn},
      {"adamw", "one AdamW update", {{"N", 50'000'000}}, make_adamw},
  };
  for (auto& work : update_works()) works.push_back(std::move(work));
  return works;
}

}  // namespace

const std::vector<WorkDef>& all_works() {
  static const std::vector<WorkDef> works = list_works();
  return works;
}

const WorkDef& find_work(const std::string& name) {
  std::string known;
  for (const WorkDef& work : all_works()) {
    if (name == work.name) return work;
    known += std::string(known.empty() ? "" : ", ") + work.name;
  }
  throw Error(Code::kNotFound,
              fmt::format("bench: no work \"{}\"", name),
              "the works are " + known);
}

Sizes sizes_with(const WorkDef& work, const std::string& text) {
  Sizes sizes = work.sizes;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string item = text.substr(at, end - at);
    const size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    int64_t n = 0;
    const char* last = item.data() + item.size();
    const char* first = equals == item.npos ? last : item.data() + equals + 1;
    const auto read = std::from_chars(first, last, n);
    if (!sizes.contains(name) || read.ec != std::errc() || read.ptr != last ||
        n < 1 || n > int64_t{1} << 40) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format(
              "bench: size \"{}\" of {} is not NAME=NUMBER", item, work.name),
          "the sizes are " + text_of(work.sizes));
    }
    sizes[name] = n;
    at = end + 1;
  }
  return sizes;
}

std::string text_of(const Sizes& sizes) {
  std::string text;
  for (const auto& [name, n] : sizes) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, n);
  }
  return text;
}

Slot slot(std::string name,
          DType dtype,
          std::vector<int64_t> dims,
          std::function<HostArray(const TensorType&, Key)> start) {
  Slot s;
  s.name = std::move(name);
  s.type = TensorType{dtype, Shape(std::move(dims))};
  s.start = std::move(start);
  return s;
}

HostArray zeros(const TensorType& type, Key) {
  return HostArray(type);
}

HostArray ones(const TensorType& type, Key) {
  return HostArray::full(type, 1);
}

std::function<HostArray(const TensorType&, Key)> normal(double stddev) {
  return [stddev](const TensorType& type, Key key) {
    Random random(key);
    HostArray a(type);
    for (float& x : a.mutable_span<float>()) {
      x = static_cast<float>(stddev * random.normal());
    }
    return a;
  };
}

std::function<HostArray(const TensorType&, Key)> below(int64_t n) {
  return [n](const TensorType& type, Key key) {
    Random random(key);
    HostArray a(type);
    for (int32_t& x : a.mutable_span<int32_t>()) {
      x = static_cast<int32_t>(random.below(static_cast<uint64_t>(n)));
    }
    return a;
  };
}

}  // namespace kexue::works
