#include "kexue/pjrt/plugin.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "kexue/base/hash.h"
#include "kexue/pjrt/ffi.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/error_matchers.h"

namespace kexue::pjrt {
namespace {

namespace fs = std::filesystem;
using ::kexue::pjrt::testing::doubling;

// Sets (or with nullptr clears) a variable while in scope.
class ScopedEnv final {
 public:
  ScopedEnv(const char* name, const char* value) : name_(name) {
    const char* old = std::getenv(name);
    if (old != nullptr) old_ = old;
    if (value == nullptr) {
      ::unsetenv(name);
    } else {
      ::setenv(name, value, 1);
    }
  }
  ~ScopedEnv() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  ScopedEnv(const ScopedEnv&) = delete;
  ScopedEnv& operator=(const ScopedEnv&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

// An empty folder of this test, only writable by us.
fs::path fresh_folder() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  const fs::path p = fs::path(::testing::TempDir()) /
                     (std::string("kexue_pjrt_") + info->name());
  fs::remove_all(p);
  fs::create_directories(p);
  fs::permissions(p, fs::perms::owner_all);
  return p;
}

void touch(const fs::path& p, const std::string& text = "") {
  fs::create_directories(p.parent_path());
  std::ofstream(p) << text;
}

fs::path fake(const std::string& name) {
  return fs::path(KEXUE_FAKE_DIR) / ("libfake_" + name + ".so");
}

TEST(FindPlugin, OptionBeatsEnvironmentBeatsFolders) {
  const fs::path dir = fresh_folder();
  touch(dir / "option.so");
  touch(dir / "env.so");
  touch(dir / "cache/plugin/b.so");
  touch(dir / "cache/plugin/a.so");
  touch(dir / "cache/plugin/0.txt");
  const ScopedEnv cache("KEXUE_CACHE", (dir / "cache").c_str());
  const ScopedEnv env("KEXUE_PLUGIN", (dir / "env.so").c_str());
  EXPECT_EQ(find_plugin((dir / "option.so").string()), dir / "option.so");
  EXPECT_EQ(find_plugin(), dir / "env.so");
  const ScopedEnv none("KEXUE_PLUGIN", nullptr);
  EXPECT_EQ(find_plugin(), dir / "cache/plugin/a.so");
}

TEST(FindPlugin, HomeCacheIsTheSecondFolder) {
  const fs::path dir = fresh_folder();
  touch(dir / "home/.cache/kexue/plugin/p.so");
  const ScopedEnv plugin("KEXUE_PLUGIN", nullptr);
  const ScopedEnv cache("KEXUE_CACHE", (dir / "nothing").c_str());
  const ScopedEnv home("HOME", (dir / "home").c_str());
  EXPECT_EQ(find_plugin(), dir / "home/.cache/kexue/plugin/p.so");
}

TEST(FindPlugin, RelativePathsBecomeAbsolute) {
  EXPECT_ERROR(find_plugin("no/./such.so"),
               Code::kNotFound,
               (fs::current_path() / "no/such.so").string(),
               "does not exist",
               "hint: ./dev setup installs one; or --plugin PATH");
}

TEST(FindPlugin, AGivenPathIsNeverSkipped) {
  const fs::path dir = fresh_folder();
  touch(dir / "cache/plugin/a.so");
  const ScopedEnv cache("KEXUE_CACHE", (dir / "cache").c_str());
  const ScopedEnv env("KEXUE_PLUGIN", (dir / "gone.so").c_str());
  EXPECT_ERROR(
      find_plugin(), Code::kNotFound, "gone.so", "variable KEXUE_PLUGIN");
  EXPECT_ERROR(find_plugin(dir.string()), Code::kNotFound, "is not a file");
}

TEST(FindPlugin, NothingFoundListsThePlaces) {
  const fs::path dir = fresh_folder();
  const ScopedEnv plugin("KEXUE_PLUGIN", nullptr);
  const ScopedEnv cache("KEXUE_CACHE", (dir / "c").c_str());
  const ScopedEnv home("HOME", (dir / "h").c_str());
  if (fs::exists("/usr/lib/kexue") || fs::exists("/usr/local/lib/kexue")) {
    GTEST_SKIP() << "a plugin folder is installed on this system";
  }
  EXPECT_ERROR(find_plugin(),
               Code::kNotFound,
               (dir / "c/plugin").string(),
               (dir / "h/.cache/kexue/plugin").string(),
               "/usr/lib/kexue",
               "/usr/local/lib/kexue",
               "hint: ./dev setup");
}

TEST(PluginLoad, MissingFileIsNotFound) {
  EXPECT_ERROR(
      Plugin::load("/no/such/plugin.so"), Code::kNotFound, "No such file");
}

TEST(PluginLoad, AFileThatIsNoLibraryIsUnsupported) {
  const fs::path dir = fresh_folder();
  touch(dir / "text.so", std::string(4096, 'x'));
  EXPECT_ERROR(Plugin::load(dir / "text.so"),
               Code::kUnsupported,
               "text.so",
               "ELF",
               "hint:");
}

TEST(PluginLoad, ALibraryWithoutGetPjrtApiIsUnsupported) {
  EXPECT_ERROR(Plugin::load(fake("not_a_plugin")),
               Code::kUnsupported,
               "no GetPjrtApi",
               "hint:");
}

TEST(PluginLoad, AnOlderMinorVersionIsUnsupported) {
  EXPECT_ERROR(Plugin::load(fake("old_minor")),
               Code::kUnsupported,
               "PJRT API 0.40",
               "wanted 0.81",
               "hint:");
}

TEST(PluginLoad, AnotherMajorVersionIsUnsupported) {
  EXPECT_ERROR(
      Plugin::load(fake("new_major")), Code::kUnsupported, "PJRT API 1.81");
}

TEST(PluginLoad, AStructTooSmallForAVersionIsUnsupported) {
  EXPECT_ERROR(Plugin::load(fake("tiny_struct")),
               Code::kUnsupported,
               "16 bytes",
               "too few");
}

TEST(PluginLoad, AStructThatEndsBeforeAFunctionIsUnsupported) {
  EXPECT_ERROR(Plugin::load(fake("short_struct")),
               Code::kUnsupported,
               "lacks PJRT_Executable_OutputDimensions");
}

TEST(PluginLoad, ANullFunctionIsUnsupported) {
  EXPECT_ERROR(Plugin::load(fake("null_function")),
               Code::kUnsupported,
               "lacks PJRT_LoadedExecutable_Execute");
}

TEST(PluginLoad, ANullApiIsUnsupported) {
  EXPECT_ERROR(Plugin::load(fake("null_api")), Code::kUnsupported, "nothing");
}

TEST(PluginLoad, AFailingInitialisationGivesThePluginsText) {
  EXPECT_ERROR(Plugin::load(fake("failing_init")),
               Code::kDevice,
               "PJRT_Plugin_Initialize: UNAVAILABLE: no device today");
}

TEST(PluginLoad, AFileThatOthersCanWriteIsRefused) {
  const fs::path dir = fresh_folder();
  fs::copy_file(fake("old_minor"), dir / "p.so");
  ASSERT_EQ(::chmod((dir / "p.so").c_str(), 0757), 0);
  EXPECT_ERROR(Plugin::load(dir / "p.so"),
               Code::kInvalidArgument,
               "p.so can be written by every user",
               "chmod");
  ASSERT_EQ(::chmod((dir / "p.so").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(dir.c_str(), 0777), 0);
  EXPECT_ERROR(Plugin::load(dir / "p.so"),
               Code::kInvalidArgument,
               "can be written by every user");
  ASSERT_EQ(::chmod(dir.c_str(), 0700), 0);
}

TEST(PluginLoad, APluginWithoutFfiRefusesCustomCallsOnly) {
  const Plugin p = Plugin::load(fake("no_ffi"));
  EXPECT_FALSE(p.has_ffi());
  EXPECT_TRUE(p.attributes().empty());
  EXPECT_ERROR(register_ffi(p, {}),
               Code::kUnsupported,
               "libfake_no_ffi.so",
               "no FFI extension");
}

// The fingerprint as a new process sees it.
std::string fingerprint_elsewhere(const fs::path& plugin,
                                  const fs::path& cache) {
  const fs::path out = cache.parent_path() / "out.txt";
  fs::remove(out);
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      std::ofstream(out) << Plugin::load(plugin).fingerprint(cache);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::string text;
  std::ifstream(out) >> text;
  return text;
}

std::string read_all(const fs::path& p) {
  std::ostringstream text;
  text << std::ifstream(p, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Fingerprint, IsKeptForAsLongAsTheFileIsTheSame) {
  const fs::path dir = fresh_folder();
  fs::copy_file(fake("no_ffi"), dir / "p.so");
  const std::string real = hash128(read_all(dir / "p.so"));
  EXPECT_EQ(fingerprint_elsewhere(dir / "p.so", dir / "cache"), real);
  const fs::path entry = fs::directory_iterator(dir / "cache")->path();
  struct stat s {};
  ASSERT_EQ(::stat(entry.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  // Another hash in the entry is believed: the file was not read again.
  const std::string text = read_all(entry);
  const std::string other(32, '7');
  touch(entry, text.substr(0, text.size() - 32) + other);
  EXPECT_EQ(fingerprint_elsewhere(dir / "p.so", dir / "cache"), other);
  // Not if others could have written it, or it is no hash.
  fs::permissions(entry, fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(fingerprint_elsewhere(dir / "p.so", dir / "cache"), real);
  touch(entry, text.substr(0, text.size() - 32) + std::string(32, 'z'));
  EXPECT_EQ(fingerprint_elsewhere(dir / "p.so", dir / "cache"), real);
  // Not for a file with another time.
  touch(entry, text.substr(0, text.size() - 32) + other);
  fs::last_write_time(
      dir / "p.so",
      fs::last_write_time(dir / "p.so") - std::chrono::seconds(10));
  EXPECT_EQ(fingerprint_elsewhere(dir / "p.so", dir / "cache"), real);
}

TEST(Fingerprint, AFileThatChangedAfterLoadingHasNone) {
  const fs::path dir = fresh_folder();
  fs::copy_file(fake("no_ffi"), dir / "p.so");
  const Plugin p = Plugin::load(dir / "p.so");
  fs::remove(dir / "p.so");
  EXPECT_ERROR(p.fingerprint(), Code::kIo, "No such file");
  fs::copy_file(fake("no_ffi"), dir / "p.so");
  EXPECT_ERROR(p.fingerprint(), Code::kIo, "changed after it was opened");
}

class PluginTest : public testing::DeviceTest {};

TEST_F(PluginTest, ReportsItselfAndIsOpenedOnce) {
  const Plugin& p = client().plugin();
  EXPECT_TRUE(p.path().is_absolute());
  EXPECT_EQ(p.api_version().major, 0);
  EXPECT_GE(p.api_version().minor, kOldestApi.minor);
  bool found = false;
  for (const auto& a : p.attributes()) {
    if (a.name != "stablehlo_current_version") continue;
    found = true;
    EXPECT_EQ(to_string(a.value).substr(0, 3), "[1,");
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(Plugin::load(p.path()).state(), p.state());
}

TEST_F(PluginTest, FingerprintIsTheHashOfTheWholeFile) {
  EXPECT_EQ(client().plugin().fingerprint(),
            hash128(read_all(client().plugin().path())));
}

// KEXUE_TEST_PLUGINS: further plugins, separated by ':'.
TEST_F(PluginTest, OtherPluginsLoadAndRun) {
  const char* list = std::getenv("KEXUE_TEST_PLUGINS");
  if (list == nullptr) GTEST_SKIP() << "KEXUE_TEST_PLUGINS is not set";
  std::istringstream in(list);
  for (std::string path; std::getline(in, path, ':');) {
    SCOPED_TRACE(path);
    const Client c = Client::create(Plugin::load(path));
    const auto program = c.compile(doubling("2xf32"));
    const auto x = c.to_device(HostArray::of<float>({2}, {1.5f, -2.0f}));
    const auto y = testing::run(program, x);
    EXPECT_EQ(y.at(0).to_host().to_doubles(), (std::vector<double>{3, -4}));
    const auto again = c.deserialize(program.serialize());
    EXPECT_EQ(testing::run(again, x).at(0).to_host().at(0), 3);
  }
}

}  // namespace
}  // namespace kexue::pjrt
