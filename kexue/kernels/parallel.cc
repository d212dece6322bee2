#include "kexue/kernels/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kexue/base/error.h"

namespace kexue::kernels {
namespace {

std::atomic<int> wanted_threads{0};

class Pool final {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  // False if another call is using the pool.
  bool try_run(int64_t chunks,
               int helpers,
               detail::ChunkFunction function,
               void* context) {
    if (busy_.test_and_set(std::memory_order_acquire)) return false;
    {
      const std::lock_guard lock(mutex_);
      grow(helpers);
      function_ = function;
      context_ = context;
      chunks_ = chunks;
      seats_ = helpers;
      next_.store(0, std::memory_order_relaxed);
      ++job_;
    }
    for (int i = 0; i < helpers; ++i) wake_.notify_one();
    drain(function, context, chunks);
    {
      // A helper that has not woken by now never joins; one that has is
      // waited for.
      std::unique_lock lock(mutex_);
      seats_ = 0;
      done_.wait(lock, [&] { return active_ == 0; });
    }
    busy_.clear(std::memory_order_release);
    return true;
  }

 private:
  void grow(int helpers) {
    while (workers_.size() < static_cast<size_t>(helpers)) {
      try {
        workers_.emplace_back([this] { work(); });
      } catch (const std::system_error&) {
        return;  // no more threads to be had: the caller does the rest
      }
    }
  }

  void work() {
    uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stop_ || (job_ != seen && seats_ > 0); });
      if (stop_) return;
      seen = job_;
      --seats_;
      ++active_;
      const auto function = function_;
      const auto context = context_;
      const int64_t chunks = chunks_;
      lock.unlock();
      drain(function, context, chunks);
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  void drain(detail::ChunkFunction function, void* context, int64_t chunks) {
    while (true) {
      const int64_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= chunks) return;
      function(context, chunk);
    }
  }

  std::atomic_flag busy_;
  std::atomic<int64_t> next_{0};
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> workers_;
  detail::ChunkFunction function_ = nullptr;
  void* context_ = nullptr;
  int64_t chunks_ = 0;
  uint64_t job_ = 0;
  int seats_ = 0;   // helpers that may still join the job
  int active_ = 0;  // helpers at work
  bool stop_ = false;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

void set_threads(int count) {
  if (count < 0) {
    throw Error(Code::kInvalidArgument,
                "kernels: thread count must be 0 or more, got " +
                    std::to_string(count));
  }
  wanted_threads.store(count, std::memory_order_relaxed);
}

int threads() {
  const int count = wanted_threads.load(std::memory_order_relaxed);
  if (count > 0) return count;
  static const int cores =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return cores;
}

namespace detail {

void run_chunks(int64_t chunks, ChunkFunction function, void* context) {
  const auto helpers =
      static_cast<int>(std::min<int64_t>(threads(), chunks)) - 1;
  if (helpers > 0 && pool().try_run(chunks, helpers, function, context)) {
    return;
  }
  for (int64_t chunk = 0; chunk < chunks; ++chunk) function(context, chunk);
}

}  // namespace detail
}  // namespace kexue::kernels
