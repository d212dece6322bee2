#include "kexue/train/detail/progress.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/error_matchers.h"

namespace kexue::train::detail {
namespace {

Progress made() {
  return {.loop = {.step = 7,
                   .position = {.epoch = 1, .batch = 2, .stream = {-3, 4}},
                   .skips = 5},
          .metrics_bytes = 1234,
          .tokens = 99,
          .skipped = 11,
          .train_s = 0.1,
          .step_s = 1.0 / 3,
          .input_s = 1e-300,
          .evals = {{.split = "dev",
                     .step = 6,
                     .loss = std::nan(""),
                     .metrics = {{"accuracy", 0.875}, {"f1", 2.0 / 3}},
                     .rows = 16,
                     .seconds = 0.5}},
          .best = 0.875,
          .config = {{"train.lr", "0.1"}, {"train.seed", "3"}}};
}

TEST(Progress, ReadsBackToTheLastBit) {
  const Progress want = made();
  const Progress got = parse_progress(to_json(want), "progress.json");
  EXPECT_EQ(got.loop.step, 7);
  EXPECT_EQ(got.loop.position, want.loop.position);
  EXPECT_EQ(got.loop.skips, 5);
  EXPECT_EQ(got.metrics_bytes, 1234u);
  EXPECT_EQ(got.tokens, 99);
  EXPECT_EQ(got.skipped, 11);
  EXPECT_EQ(got.train_s, want.train_s);
  EXPECT_EQ(got.step_s, want.step_s);
  EXPECT_EQ(got.input_s, want.input_s);
  ASSERT_EQ(got.evals.size(), 1u);
  EXPECT_TRUE(std::isnan(got.evals[0].loss));
  EXPECT_EQ(got.evals[0].metrics, want.evals[0].metrics);
  EXPECT_EQ(got.best, want.best);
  EXPECT_EQ(got.config, want.config);
  Progress no_best = made();
  no_best.best.reset();
  EXPECT_FALSE(parse_progress(to_json(no_best), "x").best);
}

TEST(Progress, BadFieldsAreNamed) {
  const std::string good = to_json(made());
  const struct {
    const char *from, *to, *text;
  } table[] = {
      {"\"step\": 7", "\"step\": -7", "\"step\" must be an integer"},
      {"\"step\": 7", "\"step\": 1e3", "\"step\" must be an integer"},
      {"\"step\": 7,", "", "no \"step\""},
      {"\"skips\": 5", "\"skips\": 9007199254740993", "0..2^53"},
      {"\"position\": [", "\"position\": [\"a\",", "list of integers"},
      {"\"position\": [", "\"position\": [1.5,", "list of integers"},
      {"\"position\": [",
       "\"position\": [9223372036854775808,",
       "list of integers"},
      {"\"position\": [",
       "\"position\": [7], \"x\": [",
       "1 numbers, wanted at least 2"},
      {"\"train_s\": 0.1", "\"train_s\": true", "must be a number"},
      {"\"evals\": [", "\"evals\": [1,", "wanted an object"},
      {"\"dev\"", "3", "\"split\" must be text"},
      {"\"best\": 0.875", "\"best\": \"x\"", "\"best\" must be a number"},
      {"\"0.1\"", "0.1", "\"config\" must be text"},
  };
  for (const auto& bad : table) {
    std::string text = good;
    const size_t at = text.find(bad.from);
    ASSERT_NE(at, std::string::npos) << bad.from;
    text.replace(at, std::string(bad.from).size(), bad.to);
    EXPECT_ERROR(parse_progress(text, "p.json"),
                 Code::kCorruptData,
                 "p.json: ",
                 bad.text)
        << bad.to;
  }
  EXPECT_ERROR(parse_progress("[]", "p"), Code::kCorruptData, "an object");
}

TEST(Progress, FrozenAreAllKeysButThoseOfTheRun) {
  RunConfig config;
  config.model = "bert";
  config.save_every = 5;
  const FrozenKeys keys = frozen_keys(config);
  EXPECT_EQ(keys.at("model.model"), "\"bert\"");
  EXPECT_EQ(keys.at("train.batch_size"), "32");
  EXPECT_TRUE(keys.contains("mesh.zero"));
  EXPECT_FALSE(keys.contains("train.save_every"));
  EXPECT_FALSE(keys.contains("run.folder"));
  RunConfig other = config;
  other.save_every = 7;
  other.folder = "else";
  other.keep_last = 9;
  EXPECT_EQ(hash_of(frozen_keys(other)), hash_of(keys));
  other.seed = 1;
  EXPECT_NE(hash_of(frozen_keys(other)), hash_of(keys));
}

}  // namespace
}  // namespace kexue::train::detail
