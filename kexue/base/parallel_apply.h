// One function over a stream of items by several threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "kexue/base/error.h"

namespace kexue {

struct ParallelApplyOptions {
  int workers = 0;        // 0: one for each core
  int64_t max_queue = 0;  // items between two threads; 0: twice the workers
  bool ordered = true;    // results in the order of their items
};

int default_workers();

namespace detail {

// What the threads of one parallel_apply share.
template <class Item, class Result>
struct Pipeline {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<uint64_t, Item>> items;
  std::map<uint64_t, Result> results;
  std::exception_ptr error;
  uint64_t taken_in = 0;   // items that `next` gave
  uint64_t given_out = 0;  // results that `consume` had
  bool ended = false;      // `next` has nothing more

  void fail(std::exception_ptr e) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(e);
    changed.notify_all();
  }
};

template <class Item, class Result, class Function>
void run_worker(Pipeline<Item, Result>& p, Function& fn) {
  std::unique_lock lock(p.mutex);
  for (;;) {
    p.changed.wait(lock,
                   [&] { return p.error || p.ended || !p.items.empty(); });
    if (p.error || p.items.empty()) return;
    auto [index, item] = std::move(p.items.front());
    p.items.pop_front();
    lock.unlock();
    std::optional<Result> result;
    try {
      result.emplace(fn(std::move(item)));
    } catch (...) {
      p.fail(std::current_exception());
      return;
    }
    lock.lock();
    p.results.emplace(index, std::move(*result));
    p.changed.notify_all();
  }
}

}  // namespace detail

// Calls consume(fn(item)) for each item of next(), which returns an
// std::optional<Item> that is empty at the end. next and consume run on the
// calling thread, fn on `workers` others. An item is taken only while fewer
// than max_queue + workers are on their way (back-pressure), so a slow
// consumer holds up the producer and memory stays bounded.
//
// Errors: kInvalidArgument for negative options. The first exception of next,
//         fn or consume reaches the caller after all threads have ended; items
//         that wait are dropped.
// Source: note 7031, parallel_apply; there over processes, whose results are
//         copied twice.
template <class Next, class Function, class Consume>
void parallel_apply(Next&& next,
                    Function&& fn,
                    Consume&& consume,
                    const ParallelApplyOptions& options = {}) {
  using Item = typename std::decay_t<decltype(next())>::value_type;
  using Result = std::decay_t<decltype(fn(std::declval<Item>()))>;
  if (options.workers < 0 || options.max_queue < 0) {
    throw Error(
        Code::kInvalidArgument,
        "parallel_apply: workers and max_queue must be 0 or more, got " +
            std::to_string(options.workers) + " and " +
            std::to_string(options.max_queue));
  }
  const int workers = options.workers > 0 ? options.workers : default_workers();
  const auto most = static_cast<uint64_t>(
      workers + (options.max_queue > 0 ? options.max_queue : 2 * workers));

  detail::Pipeline<Item, Result> p;
  std::vector<std::jthread> threads;
  try {
    for (int i = 0; i < workers; ++i) {
      threads.emplace_back([&] { detail::run_worker(p, fn); });
    }
    std::unique_lock lock(p.mutex);
    for (;;) {
      while (!p.ended && !p.error && p.taken_in - p.given_out < most) {
        lock.unlock();
        auto item = next();
        lock.lock();
        if (item) {
          p.items.emplace_back(p.taken_in++, std::move(*item));
        } else {
          p.ended = true;
        }
        p.changed.notify_all();
        if (!p.results.empty()) break;
      }
      const auto ready = [&] {
        return !p.results.empty() &&
               (!options.ordered || p.results.begin()->first == p.given_out);
      };
      if (p.ended && p.given_out == p.taken_in) break;
      p.changed.wait(lock, [&] {
        return p.error || ready() ||
               (!p.ended && p.taken_in - p.given_out < most);
      });
      if (p.error) break;
      if (!ready()) continue;
      auto result = std::move(p.results.begin()->second);
      p.results.erase(p.results.begin());
      lock.unlock();
      consume(std::move(result));
      lock.lock();
      ++p.given_out;
    }
  } catch (...) {
    p.fail(std::current_exception());
  }
  threads.clear();  // joins
  if (p.error) std::rethrow_exception(p.error);
}

}  // namespace kexue
