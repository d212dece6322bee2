// How long it takes to make programs: deep stacks as loops, and a whole BERT
// step written out.
//
//   graph_time [--depth 1000] [--width 64] [--no-compile]
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>

#include "kexue/base/error.h"
#include "kexue/losses/losses.h"
#include "kexue/models/bert.h"
#include "kexue/optim/optim.h"
#include "kexue/runtime/session.h"
#include "kexue/train/step.h"

namespace {

namespace kx = kexue;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

kx::train::StepGraph bert_step(const kx::models::BertConfig& config,
                               int64_t batch,
                               int64_t length) {
  kx::models::Bert bert({.config = config});
  const auto loss = [&](const kx::train::BatchValues& b) {
    const auto logits =
        bert.classify({b.at("ids"), b.at("types"), b.at("mask")});
    return kx::train::LossResult{
        kx::losses::cross_entropy(logits, b.at("label"), b.at("weight")), {}};
  };
  const kx::optim::AdamW adamw({});
  return kx::train::build_step(bert.parameters(),
                               loss,
                               adamw,
                               {{"ids", {kx::DType::kI32, {batch, length}}},
                                {"types", {kx::DType::kI32, {batch, length}}},
                                {"mask", {kx::DType::kBool, {batch, length}}},
                                {"label", {kx::DType::kI32, {batch}}},
                                {"weight", {kx::DType::kF32, {batch}}}},
                               {});
}

void deep(const kx::runtime::Session& session,
          int64_t depth,
          int64_t width,
          bool compile) {
  auto start = Clock::now();
  const auto step = bert_step({.vocab = 1000,
                               .hidden = width,
                               .layers = depth,
                               .heads = 1,
                               .inner = 4 * width,
                               .labels = {"0", "1"}},
                              2,
                              16);
  const double trace_s = since(start);
  kx::runtime::CompileOptions options;
  options.alias = step.alias;
  start = Clock::now();
  const std::string text = session.emit(*step.graph, options);
  const double emit_s = since(start);
  std::printf(
      "{\"encoder\": \"%ld x %ld\", \"trace_s\": %.3f, \"emit_s\": %.3f",
      depth,
      width,
      trace_s,
      emit_s);
  if (compile) {
    const auto program = session.compile(*step.graph, options);
    std::printf(", \"compile_s\": %.3f", program.stats().compile_s);
  }
  std::printf("}\n");
  std::fflush(stdout);
}

void base_unrolled(const kx::runtime::Session& session) {
  for (int round = 0; round < 5; ++round) {
    auto start = Clock::now();
    const auto step = bert_step({.vocab = 30522,
                                 .hidden = 768,
                                 .layers = 12,
                                 .heads = 12,
                                 .inner = 3072,
                                 .labels = {"0", "1"}},
                                32,
                                128);
    const double trace_s = since(start);
    kx::runtime::CompileOptions options;
    options.unroll = 12;
    options.alias = step.alias;
    start = Clock::now();
    const std::string text = session.emit(*step.graph, options);
    const double emit_s = since(start);
    std::printf(
        "{\"bert_base_unrolled\": %d, \"trace_s\": %.3f, \"emit_s\": %.3f, "
        "\"total_s\": %.3f, \"text_bytes\": %zu}\n",
        round,
        trace_s,
        emit_s,
        trace_s + emit_s,
        text.size());
    std::fflush(stdout);
  }
}

int64_t number(const std::string& text) {
  int64_t x = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, x);
  if (error != std::errc() || end != last || x < 1) {
    throw kx::Error(kx::Code::kInvalidArgument, "not a count: " + text);
  }
  return x;
}

void run(int argc, char** argv) {
  int64_t depth = 1000;
  int64_t width = 64;
  bool compile = true;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--no-compile") {
      compile = false;
    } else if (key == "--depth" && i + 1 < argc) {
      depth = number(argv[++i]);
    } else if (key == "--width" && i + 1 < argc) {
      width = number(argv[++i]);
    } else {
      throw kx::Error(kx::Code::kInvalidArgument, "unknown option " + key);
    }
  }
  const kx::runtime::Session session({.use_cache = false});
  base_unrolled(session);
  deep(session, depth, width, compile);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "graph_time: %s\n", e.what());
    return 1;
  }
}
