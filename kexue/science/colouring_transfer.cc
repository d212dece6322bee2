// Cell by cell; a state holds the colours and labels that cells to come need.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/science/detail/colour_rules.h"
#include "kexue/science/detail/engines.h"
#include "kexue/science/detail/factors.h"

namespace kexue::science::detail {
namespace {

constexpr size_t kMaxStates = size_t{1} << 21;
constexpr uint64_t kMaxNew = uint64_t{1} << 20;  // colourings of new segments

// Where a step finds a number: in the state, or among the new ones.
struct Place {
  bool is_new;
  size_t at;
};

struct Step {
  size_t new_segments = 0;
  std::vector<Place> sides;  // of the cell
  // Constraints that are complete with this cell's label.
  struct Rule {
    LabelRule rule;
    std::vector<Place> labels;  // is_new: the label of this cell
  };
  std::vector<Rule> rules;
  std::vector<Place> kept_segments;
  std::vector<Place> kept_labels;
};

// Chooses an order of cells that keeps states small, and plans each step.
class Planner final {
 public:
  explicit Planner(const ColouringProblem& problem) : p_(problem) {
    uses_.assign(static_cast<size_t>(p_.segments), 0);
    cells_of_.resize(static_cast<size_t>(p_.segments));
    for (size_t c = 0; c < p_.cells.size(); ++c) {
      for (const int s : p_.cells[c]) {
        ++uses_[static_cast<size_t>(s)];
        cells_of_[static_cast<size_t>(s)].push_back(static_cast<int>(c));
      }
    }
    done_.assign(p_.cells.size(), false);
    open_.assign(p_.cells.size(), 0);
    left_.resize(p_.constraints.size());
    for (size_t i = 0; i < p_.constraints.size(); ++i) {
      left_[i] = p_.constraints[i].cells.size();
      for (const int c : p_.constraints[i].cells) {
        ++open_[static_cast<size_t>(c)];
      }
    }
  }

  std::vector<Step> plan() {
    std::vector<Step> out;
    for (size_t i = 0; i < p_.cells.size(); ++i) {
      out.push_back(step(static_cast<size_t>(next_cell())));
    }
    return out;
  }

  int free_segments() const {
    return static_cast<int>(
        std::count_if(cells_of_.begin(), cells_of_.end(), [](const auto& c) {
          return c.empty();
        }));
  }

 private:
  // How much larger the state gets with this cell.
  int growth(int cell) const {
    int out = 0;
    for (const int s : p_.cells[static_cast<size_t>(cell)]) {
      const auto i = static_cast<size_t>(s);
      const bool known =
          std::find(segments_.begin(), segments_.end(), s) != segments_.end();
      out += known ? 0 : 1;
      if (uses_[i] == 1) --out;
    }
    return out;
  }

  int next_cell() const {
    std::set<int> near;
    for (const int s : segments_) {
      for (const int c : cells_of_[static_cast<size_t>(s)]) {
        if (!done_[static_cast<size_t>(c)]) near.insert(c);
      }
    }
    if (near.empty()) {
      for (size_t c = 0; c < done_.size(); ++c) {
        if (!done_[c]) return static_cast<int>(c);
      }
    }
    return *std::min_element(near.begin(), near.end(), [&](int a, int b) {
      return growth(a) < growth(b);
    });
  }

  Step step(size_t cell) {
    Step out;
    std::vector<int> fresh;
    const auto place_of = [&](int s) -> Place {
      const auto known = std::find(segments_.begin(), segments_.end(), s);
      if (known != segments_.end()) {
        return {false, static_cast<size_t>(known - segments_.begin())};
      }
      const auto at = std::find(fresh.begin(), fresh.end(), s);
      return {true, static_cast<size_t>(at - fresh.begin())};
    };
    for (const int s : p_.cells[cell]) {
      if (std::find(segments_.begin(), segments_.end(), s) == segments_.end()) {
        fresh.push_back(s);
      }
      --uses_[static_cast<size_t>(s)];
    }
    for (const int s : p_.cells[cell]) out.sides.push_back(place_of(s));
    out.new_segments = fresh.size();
    done_[cell] = true;
    finish_rules(cell, out);
    std::vector<int> kept;
    for (const auto& list : {segments_, fresh}) {
      for (const int s : list) {
        if (uses_[static_cast<size_t>(s)] == 0) continue;
        out.kept_segments.push_back(place_of(s));
        kept.push_back(s);
      }
    }
    segments_ = std::move(kept);
    return out;
  }

  void finish_rules(size_t cell, Step& out) {
    const auto label_place = [&](int c) -> Place {
      if (static_cast<size_t>(c) == cell) return {true, 0};
      const auto at = std::find(labels_.begin(), labels_.end(), c);
      return {false, static_cast<size_t>(at - labels_.begin())};
    };
    for (size_t i = 0; i < p_.constraints.size(); ++i) {
      const auto& c = p_.constraints[i];
      const int own = static_cast<int>(cell);
      if (std::find(c.cells.begin(), c.cells.end(), own) == c.cells.end()) {
        continue;
      }
      if (--left_[i] > 0) continue;
      Step::Rule rule{.rule = c.rule, .labels = {}};
      for (const int other : c.cells) {
        rule.labels.push_back(label_place(other));
        --open_[static_cast<size_t>(other)];
      }
      out.rules.push_back(std::move(rule));
    }
    std::vector<int> kept;
    for (const int c : labels_) {
      if (open_[static_cast<size_t>(c)] == 0) continue;
      out.kept_labels.push_back(label_place(c));
      kept.push_back(c);
    }
    if (open_[cell] > 0) {
      out.kept_labels.push_back({true, 0});
      kept.push_back(static_cast<int>(cell));
    }
    labels_ = std::move(kept);
  }

  const ColouringProblem& p_;
  std::vector<int> uses_;  // by cells to come
  std::vector<std::vector<int>> cells_of_;
  std::vector<bool> done_;
  std::vector<int> open_;               // constraints to come of each cell
  std::vector<size_t> left_;            // cells to come of each constraint
  std::vector<int> segments_, labels_;  // in the state
};

// Colours of segments, then labels.
using State = std::string;

template <class Num>
class Sweep final {
 public:
  explicit Sweep(const ColouringProblem& problem) : p_(problem) {}

  Num run() {
    Planner planner(p_);
    states_.emplace(State(), 1);
    size_t segments = 0;
    for (const Step& step : planner.plan()) {
      advance(step, segments);
      segments = step.kept_segments.size();
    }
    Num total = 0;
    for (const auto& [state, count] : states_) add(total, count);
    for (int i = planner.free_segments(); i > 0; --i) {
      multiply(total, static_cast<uint64_t>(p_.colours));
    }
    return total;
  }

 private:
  void advance(const Step& step, size_t segments) {
    uint64_t fresh = 1;
    for (size_t i = 0; i < step.new_segments; ++i) {
      fresh *= static_cast<uint64_t>(p_.colours);
      if (fresh > kMaxNew) {
        throw Error(Code::kUnsupported,
                    fmt::format("transfer: a cell brings {} new segments in {} "
                                "colours, more than {} colourings",
                                step.new_segments,
                                p_.colours,
                                kMaxNew),
                    "try the engine eliminate");
      }
    }
    std::unordered_map<State, Num> next;
    std::vector<int> colours(step.new_segments);
    for (const auto& [state, count] : states_) {
      std::fill(colours.begin(), colours.end(), 0);
      for (uint64_t i = 0; i < fresh; ++i) {
        extend(step, segments, state, count, colours, next);
        for (int& c : colours) {
          if (++c < p_.colours) break;
          c = 0;
        }
      }
      if (next.size() > kMaxStates) {
        throw Error(Code::kUnsupported,
                    fmt::format("transfer: more than {} states", kMaxStates),
                    "try the engine eliminate");
      }
    }
    states_ = std::move(next);
  }

  void extend(const Step& step,
              size_t segments,
              const State& state,
              const Num& count,
              const std::vector<int>& fresh,
              std::unordered_map<State, Num>& next) {
    const auto colour = [&](const Place& p) {
      return p.is_new ? fresh[p.at] : state[p.at];
    };
    work_.clear();
    for (const Place& p : step.sides) work_.push_back(colour(p));
    const int label = label_of_colours(p_.cell_rule, work_, p_.colours);
    if (label < 0) return;
    const auto label_at = [&](const Place& p) {
      return p.is_new ? label : state[segments + p.at];
    };
    for (const auto& rule : step.rules) {
      work_.clear();
      for (const Place& p : rule.labels) work_.push_back(label_at(p));
      if (!holds(rule.rule, work_)) return;
    }
    State to;
    for (const Place& p : step.kept_segments) {
      to += static_cast<char>(colour(p));
    }
    for (const Place& p : step.kept_labels) {
      to += static_cast<char>(label_at(p));
    }
    add(next[to], count);
  }

  const ColouringProblem& p_;
  std::unordered_map<State, Num> states_;
  std::vector<int> work_;
};

}  // namespace

Big transfer(const ColouringProblem& problem) {
  try {
    return big_of(Sweep<uint64_t>(problem).run());
  } catch (const Overflow&) {
    return Sweep<Big>(problem).run();
  }
}

}  // namespace kexue::science::detail
