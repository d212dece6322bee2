// A checkpoint's index. First byte 0: the image of the file as it is; else the
// content of one block, which is given its sum, an index and a footer, so that
// mutations get behind the sums. The one shard is 64 bytes long.
#include <functional>

#include "kexue/base/error.h"
#include "kexue/io/weight_map.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/checkpoint_image.h"

namespace kexue::fuzz {
namespace {

using testing::bundle_entry;
using testing::bundle_header;
using testing::one_block;
using testing::table_block;
using testing::TableRow;

std::string shard() {
  std::string out;
  for (char c = 0; c < 64; ++c) out += c;
  return out;
}

bool succeeds(const std::function<void()>& f) {
  try {
    f();
    return true;
  } catch (const Error& e) {
    check_code(e);
    return false;
  }
}

std::string wrapped(std::string block) {
  block += '\0';
  block += testing::le(testing::masked(block));
  return testing::table({block}, {"\xff"});
}

// Ascending names, tensors inside the shard, reading as listed.
void check_tensors(const io::TensorSource& file) {
  std::string last;
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& t = file.tensors()[i];
    check(i == 0 || t.name > last, "names ascend");
    last = t.name;
    check(t.bytes <= 64, "tensors are in the shard");
    check(t.shape.rank() <= 16, "rank <= 16");
    if (!t.dtype) continue;
    succeeds([&] {
      const HostArray a = file.tensor(i);
      check(a.shape() == t.shape && a.dtype() == *t.dtype, "as listed");
      check(a.bytes() <= 8 * t.bytes, "no tensor grows beyond 8 times");
    });
  }
}

std::vector<TableRow> rows() {
  const std::string data = shard();
  const auto sum = [&](size_t at, size_t n) {
    return testing::masked(data.substr(at, n));
  };
  return {{"", bundle_header(1)},
          {"bert/a/kernel", bundle_entry(1, {2, 3}, 0, 24, sum(0, 24))},
          {"z", bundle_entry(19, {4}, 24, 8, sum(24, 8)), 11},
          {"global_step", bundle_entry(9, {}, 32, 8, sum(32, 8))},
          {"text", bundle_entry(7, {1}, 40, 9, 0)},
          {"u", bundle_entry(17, {0, 5}, 49, 0, 0)}};
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string block = table_block(rows());
  // Without type and sum, which are added after the mutation.
  const std::string content = "\1" + block.substr(0, block.size() - 5);
  const auto all = rows();
  return {std::string(1, '\0') + one_block(rows()),
          std::string(1, '\0') +
              testing::table({table_block({all[0]}), table_block({all[3]})},
                             {"a", "h"}),
          content,
          content};
}

std::vector<std::string> dictionary() {
  return {testing::wire_number(1, 14),
          testing::wire_number(5, ~uint64_t{0}),
          testing::wire_bytes(7, ""),
          testing::tf_shape({1, 2}),
          testing::varint(~uint64_t{0}),
          testing::le<uint64_t>(0xDB4775248B80FB57u),
          testing::le<uint32_t>(1),
          std::string(8, '\0'),
          "/kernel"};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string index = data[0] == 0 ? rest : fuzz::wrapped(rest);
  fuzz::succeeds([&] {
    const io::SourcePtr file = testing::open_checkpoint(index, fuzz::shard());
    fuzz::check_tensors(*file);
    const auto renamed = io::with_weight_names(file, "bert-tf");
    fuzz::check(renamed->tensors().size() <= file->tensors().size(),
                "no tensor is added");
  });
  return 0;
}
