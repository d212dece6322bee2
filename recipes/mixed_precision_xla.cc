// Question: what do 16-bit arithmetic and compiling the whole step bring here,
//           and when do small gradients need a loss scale?
// Source:   article 9059 (2022-04-28); arXiv:1710.03740
// Command:  kexue recipe run mixed-precision-xla
// Budget:   some minutes on two cores, 1 GB
// Expected: below; times are of this machine
#include <fmt/format.h>

#include "recipes/mixed_precision_steps.h"
#include "recipes/mixed_precision_task.h"
#include "recipes/recipe.h"

namespace kexue::recipes {
namespace {

using train::LossScale;

LossScale kept(double scale) {
  LossScale s = LossScale::fixed(scale);
  s.unscale = false;  // as the article: Adam sees the scaled gradients
  return s;
}

struct Row {
  const char* name;
  FormatRun run;
  FormatResult mean = {};
};

std::vector<Row> rows() {
  const auto f32 = [](double scale, double eps, double c) {
    return FormatRun{{DType::kF32, kept(scale)}, eps, c};
  };
  const auto fp16 = [](double scale) {
    return FormatRun{precision::fp16(kept(scale)), 1e-8, 1e-6};
  };
  return {{"f32, c = 1", f32(1, 1e-8, 1)},
          {"fp16, S = 1", fp16(1)},
          {"fp16, S = 2^10", fp16(0x1p10)},
          {"fp16, S = 2^16", fp16(0x1p16)},
          {"fp16, S = 2^40", fp16(0x1p40)},
          {"f32, eps 1e-6, S = 1", f32(1, 1e-6, 1e-6)},
          {"f32, eps 1e-6, S = 1000", f32(1000, 1e-6, 1e-6)},
          {"f32, eps 1e-6, S = 10^6", f32(1e6, 1e-6, 1e-6)},
          {"bf16, c = 1", {precision::bf16(), 1e-8, 1}},
          {"fp16, dynamic S, c = 1",
           {precision::fp16(LossScale::dynamic(0x1p16, 2, 0.5, 20)), 1e-8, 1}}};
}

std::vector<Row> learn(Context& context, const runtime::Session& session) {
  auto table = rows();
  const int seeds = context.quick() ? 1 : 3;
  for (size_t i = 0; i < table.size(); ++i) {
    context.progress(double(i), double(table.size()), table[i].name);
    FormatResult& sum = table[i].mean;
    for (int s = 0; s < seeds; ++s) {
      const auto seed = 1000 * context.seed() + 10 * static_cast<uint64_t>(s);
      auto one = learn_teacher(session, table[i].run, seed);
      sum.last += one.last / seeds;
      sum.at_50 += one.at_50 / seeds;
      sum.zeros += one.zeros / seeds;
      sum.moved += one.moved / seeds;
      sum.moved_low += one.moved_low / seeds;
      sum.skipped += one.skipped;
      sum.losses = std::move(one.losses);
      sum.scales = std::move(one.scales);
    }
  }
  report::Table page{.columns = {"arithmetic",
                                 "last loss",
                                 "loss at 50",
                                 "zero gradients",
                                 "skipped",
                                 "masters moved",
                                 "moved in 16 bits"}};
  for (const Row& r : table) {
    const FormatResult& m = r.mean;
    page.rows.push_back({r.name,
                         fmt::format("{:.4f}", m.last),
                         fmt::format("{:.4f}", m.at_50),
                         fmt::format("{:.3f}", m.zeros),
                         fmt::format("{}/{}", m.skipped, 300 * seeds),
                         fmt::format("{:.3f}", m.moved),
                         fmt::format("{:.3f}", m.moved_low)});
    context.message(fmt::format(
        "{:<24} last loss {:.4f}, at step 50 {:.4f}, zero gradients {:.3f}, "
        "skipped {}/{}",
        r.name,
        m.last,
        m.at_50,
        m.zeros,
        m.skipped,
        300 * seeds));
  }
  context.page().heading("Small gradients");
  context.page().table(page);
  return table;
}

void check_table(Context& context, const std::vector<Row>& table) {
  const auto at = [&](size_t i) -> const FormatResult& {
    return table[i].mean;
  };
  const double best = at(0).last;
  context.check("fp16, S = 1: loss over f32's", at(1).last / best);
  context.check("fp16, S = 1: zero gradients", at(1).zeros);
  context.check("fp16, S = 2^10: loss over f32's", at(2).last / best);
  context.check("fp16, S = 2^10: zero gradients beyond f32's",
                at(2).zeros - at(0).zeros);
  context.check("fp16, S = 2^16: loss over f32's", at(3).last / best);
  context.check("fp16, S = 2^40: skipped share",
                double(at(4).skipped) / (context.quick() ? 300 : 900));
  context.check("f32, eps 1e-6, S = 1: loss over f32's", at(5).last / best);
  context.check("f32, eps 1e-6: S = 1000 over S = 1 at step 50",
                at(6).at_50 / at(5).at_50);
  context.check("f32, eps 1e-6, S = 10^6: loss over f32's", at(7).last / best);
  context.check("bf16: loss over f32's", at(8).last / best);
  context.check("fp16, dynamic S: loss over f32's", at(9).last / best);
  context.check("fp16, dynamic S: skipped steps", double(at(9).skipped));
  context.check("bf16: moved less in 16 bits", at(8).moved - at(8).moved_low);

  report::Chart chart{.id = "scale",
                      .title = "Loss scale, dynamic, doubled after 20 steps",
                      .log_y = true};
  report::Chart losses{.id = "losses", .title = "Loss", .log_y = true};
  for (size_t i = 0; i < at(9).scales.size(); ++i) {
    chart.x.push_back(double(i + 1));
  }
  losses.x = chart.x;
  chart.curves.push_back({.name = "scale",
                          .style = report::Curve::Style::kStep,
                          .y = at(9).scales});
  int colour = 0;
  for (const size_t i : {0, 1, 3, 5, 6}) {
    losses.curves.push_back({.name = table[i].name,
                             .colour = colour++,
                             .y = report::smooth(at(i).losses, 5)});
  }
  context.page().chart(losses);
  context.page().chart(chart);
}

void time_steps(Context& context, const runtime::SessionOptions& options) {
  const StepSubject s = context.quick() ? teacher_step(context.seed())
                                        : bert_step(context.seed());
  auto plain = options;
  plain.use_kernels = false;
  const runtime::Session op_by_op(plain);
  const int repeats = context.quick() ? 9 : 21;
  report::Table page{.columns = {"arithmetic",
                                 "op by op, ms",
                                 "whole graph, ms",
                                 "ratio",
                                 "ops",
                                 "fusions",
                                 "peak MB"}};
  std::vector<StepFigures> whole;
  for (const DType compute : {DType::kF32, DType::kBF16}) {
    const std::string dump =
        fmt::format("{}/hlo-{}", context.folder(), name(compute));
    const auto one = step_op_by_op(op_by_op, s, compute, repeats / 3);
    const auto all = whole_step(options, s, compute, repeats, dump);
    whole.push_back(all);
    page.rows.push_back({std::string(name(compute)),
                         fmt::format("{:.2f}", one.ms),
                         fmt::format("{:.2f}", all.ms),
                         fmt::format("{:.1f}", one.ms / all.ms),
                         fmt::format("{}", one.programs),
                         fmt::format("{}", all.fusions),
                         fmt::format("{:.1f}", double(all.peak_bytes) * 1e-6)});
    context.message(fmt::format(
        "{:<5} step: op by op {:.2f} ms ({} ops), whole graph {:.2f} ms ({} "
        "fusions, {:.1f} MB): {:.1f} times faster",
        name(compute),
        one.ms,
        one.programs,
        all.ms,
        all.fusions,
        double(all.peak_bytes) * 1e-6,
        one.ms / all.ms));
  }
  const double ratio = whole[0].ms / whole[1].ms;
  context.message(fmt::format("bf16 is {:.2f} times as fast as f32", ratio));
  context.page().heading("Precision and compilation");
  context.page().table(page);
  if (ratio < 1) {
    const std::string text = fmt::format(
        "warning: bf16 is slower than f32 here ({:.2f} ms, {:.2f} ms): use f32",
        whole[1].ms,
        whole[0].ms);
    context.message(text);
    context.page().warning(text);
  }
  context.check("fusions in the f32 step", double(whole[0].fusions));
}

void time_fusion(Context& context) {
  const auto chain = time_chain(context.device().plugin,
                                context.quick() ? 256 : 2048,
                                1024,
                                context.folder() + "/hlo-chain");
  const double ratio = chain.op_by_op_ms / chain.whole_ms;
  const std::string text = fmt::format(
      "bias + GELU + residual in f32: {:.2f} ms op by op, {:.2f} ms as one "
      "program with {} fusions: {:.1f} times faster",
      chain.op_by_op_ms,
      chain.whole_ms,
      chain.fusions,
      ratio);
  context.message(text);
  context.page().paragraph(text);
  context.check("one program over op by op, elementwise", ratio);
}

void run(Context& context) {
  const runtime::SessionOptions options{
      .plugin = context.device().plugin,
      .threads = static_cast<int>(context.device().threads)};
  time_fusion(context);
  time_steps(context, options);
  const runtime::Session session(options);
  check_table(context, learn(context, session));
}

Expected least(std::string name, double value, std::string source) {
  return {.name = std::move(name),
          .value = value,
          .source = std::move(source),
          .bound = Bound::kAtLeast};
}
Expected most(std::string name, double value, std::string source) {
  return {.name = std::move(name),
          .value = value,
          .source = std::move(source),
          .bound = Bound::kAtMost};
}

}  // namespace

Recipe mixed_precision_xla() {
  const std::string numpy = "measured with NumPy, 3 seeds: order and ratio";
  Expected fused = least("one program over op by op, elementwise",
                         3,
                         "measured elsewhere: 12 times");
  fused.sizes = Sizes::kFull;  // the tests' machine has other work
  return {
      .name = "mixed-precision-xla",
      .title = "16 bits, loss scales and whole-graph compilation",
      .question =
          "What do 16-bit arithmetic and compiling the whole training step "
          "bring on this machine, and when do small gradients need a loss "
          "scale?",
      .source = "article 9059 (2022-04-28); arXiv:1710.03740",
      .method =
          "A 16-64-64-4 ReLU network learns a tanh teacher, 300 Adam steps; a "
          "loss times c = 1e-6 imitates small gradients. Scaled gradients "
          "are not unscaled, so Adam's eps is in effect divided by S. A "
          "training step of a small BERT is timed in f32 and bf16, each as "
          "one program and op by op.",
      .budget =
          "some minutes on two cores, 1 GB; --quick: one seed in place of "
          "three, and the small network's step",
      .is_random = true,
      .expected =
          {fused,
           least("fusions in the f32 step", 1, "the compiled module"),
           least("fp16, S = 1: loss over f32's", 10, numpy + " (43)"),
           least("fp16, S = 1: zero gradients", 0.99, numpy + " (1.00)"),
           {"fp16, S = 2^10: loss over f32's", 1, 0.1, numpy + " (1.00)"},
           most("fp16, S = 2^10: zero gradients beyond f32's",
                0.1,
                numpy + " (0.02)"),
           {"fp16, S = 2^16: loss over f32's", 1, 0.1, numpy + " (1.00)"},
           exactly("fp16, S = 2^40: skipped share", 1, numpy + " (300/300)"),
           least("f32, eps 1e-6, S = 1: loss over f32's", 2, numpy + " (8.1)"),
           most("f32, eps 1e-6: S = 1000 over S = 1 at step 50",
                0.5,
                numpy + " (0.18)"),
           {"f32, eps 1e-6, S = 10^6: loss over f32's",
            1,
            0.1,
            numpy + " (1.00)"},
           {"bf16: loss over f32's", 1, 0.02, "same curve within 2 %"},
           {"fp16, dynamic S: loss over f32's", 1, 0.15, "same curve"},
           least("fp16, dynamic S: skipped steps",
                 1,
                 "the scale grows until a gradient overflows"),
           least("bf16: moved less in 16 bits",
                 0.1,
                 "updates below half of bf16's spacing")},
      .run = run};
}

}  // namespace kexue::recipes
