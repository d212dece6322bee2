// The tokens of a WordPiece model and the search for the longest one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::text {

// Immutable after construction; const access is safe for threads.
class Vocabulary final {
 public:
  using Entry = std::pair<int32_t, std::string>;  // id, token

  // `where` names the source in errors. Ids may have gaps.
  // Errors: kCorruptData for a duplicate id or token, an empty token, one that
  //         is not UTF-8, or an id outside 0..2^24-1.
  Vocabulary(std::vector<Entry> entries,
             std::string prefix,
             const std::string& where);

  // One token a line, the id is the line number from 0; CR LF is accepted.
  // Errors: as above, with file:line (and the first line of a duplicate).
  static Vocabulary from_file(const std::string& path,
                              const std::string& prefix = "##",
                              io::FileSystem& fs = io::real_fs());

  // Largest id + 1: what an embedding table needs.
  int64_t size() const;
  const std::string& prefix() const { return prefix_; }
  // -1 if absent.
  int32_t find(std::string_view token) const;
  bool has_id(int64_t id) const;
  // kInvalidArgument naming the id and the size.
  const std::string& token(int64_t id) const;

  struct Match {
    int32_t id = -1;
    size_t bytes = 0;
  };
  // The longest token that `text` begins with; id -1 if there is none.
  // `continuing`: tokens with the prefix, compared without it.
  // O(length of the longest token).
  Match longest(std::string_view text, bool continuing) const;

 private:
  // A byte trie in one hash table: (node, byte) -> node.
  struct Slot {
    uint64_t key = 0;
    uint32_t next = 0;  // 0: free
  };
  const Entry* entry(int64_t id) const;
  uint32_t child(uint32_t node, uint8_t byte) const;
  uint32_t add_child(uint32_t node, uint8_t byte);
  void insert(uint32_t root, std::string_view token, int32_t id);
  void grow();

  std::vector<Entry> entries_;  // sorted by id
  std::string prefix_;
  std::vector<Slot> slots_;
  std::vector<int32_t> token_at_;  // by node; -1: inside a token only
};

}  // namespace kexue::text
