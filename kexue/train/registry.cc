#include "kexue/train/registry.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/io/file_system.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"

namespace kexue::train {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr int kApplication = 0x6b786572;  // "kxer"
constexpr int kPatienceMs = 10'000;
constexpr int kTextBytes = 32 << 20;  // of a value

constexpr const char* kSchema =
    "CREATE TABLE runs ("
    "id TEXT PRIMARY KEY NOT NULL, folder TEXT UNIQUE NOT NULL, "
    "status TEXT NOT NULL, note TEXT NOT NULL, config_hash TEXT NOT NULL, "
    "config TEXT NOT NULL, started REAL, ended REAL, "
    "steps INTEGER NOT NULL, total_steps INTEGER NOT NULL, "
    "metrics TEXT NOT NULL) STRICT";

Error sqlite_error(const std::string& path, int rc, const char* text) {
  const int kind = rc & 0xff;
  const std::string what = fmt::format("{}: {} (SQLite {})", path, text, rc);
  if (kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT ||
      kind == SQLITE_MISMATCH) {
    return {Code::kCorruptData, what, "kexue runs rebuild makes it again"};
  }
  return {Code::kIo, what};
}

}  // namespace

struct Registry::Impl {
  ~Impl() { sqlite3_close(db); }

  [[noreturn]] void fail(int rc) const {
    throw sqlite_error(
        path, rc, db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
  }
  void run(const char* sql) const {
    const int rc = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) fail(rc);
  }

  std::string path;
  fs::path home;  // absolute folder of the registry
  sqlite3* db = nullptr;
};

namespace {

// A prepared statement; values are bound, never pasted.
class Statement final {
 public:
  Statement(const std::string& path, sqlite3* db, const char* sql)
      : path_(path), db_(db) {
    check(sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr));
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  void bind(const std::string& text) {
    check(sqlite3_bind_text64(statement_,
                              ++bound_,
                              text.data(),
                              text.size(),
                              SQLITE_STATIC,
                              SQLITE_UTF8));
  }
  void bind(double x) {  // SQLite makes NULL of NaN
    check(sqlite3_bind_double(statement_, ++bound_, x));
  }
  void bind(int64_t x) { check(sqlite3_bind_int64(statement_, ++bound_, x)); }

  bool step() {
    const int rc = sqlite3_step(statement_);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) check(rc);
    return rc == SQLITE_ROW;
  }
  std::string text(int column) const {
    const auto* bytes = sqlite3_column_text(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes == nullptr ? ""
                            : std::string(reinterpret_cast<const char*>(bytes),
                                          static_cast<size_t>(size));
  }
  double number(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL
               ? std::nan("")
               : sqlite3_column_double(statement_, column);
  }
  int64_t count(int column) const {
    return sqlite3_column_int64(statement_, column);
  }

 private:
  void check(int rc) const {
    if (rc != SQLITE_OK) throw sqlite_error(path_, rc, sqlite3_errmsg(db_));
  }

  const std::string& path_;
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

int pragma(const std::string& path, sqlite3* db, const char* sql) {
  Statement statement(path, db, sql);
  return statement.step() ? static_cast<int>(statement.count(0)) : 0;
}

std::string json_of(const RunEntry& entry) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [name, value] : entry.metrics) out[name] = value;
  return out.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void read_metrics(const std::string& text,
                  const std::string& where,
                  RunEntry* entry) {
  io::parse_json(text, where);  // limits, duplicate keys
  const auto json = nlohmann::ordered_json::parse(text);
  const auto fits = [](const auto& v) { return v.is_number() || v.is_null(); };
  if (!json.is_object()) throw Error(Code::kCorruptData, where + ": no object");
  for (const auto& [name, value] : json.items()) {
    if (!fits(value)) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: \"{}\" is no number", where, name));
    }
    entry->metrics.emplace_back(
        name, value.is_null() ? std::nan("") : value.template get<double>());
  }
}

// Relative to the registry where it lies below it.
std::string stored_folder(const fs::path& home, const std::string& folder) {
  const fs::path path = fs::weakly_canonical(folder);
  const fs::path below = path.lexically_relative(home);
  const bool inside = !below.empty() && *below.begin() != "..";
  return (inside ? below : path).string();
}

}  // namespace

bool has_registry() {
  return true;
}
void require_registry(const std::string& /*path*/) {}

Registry::Registry(const std::string& path, Open how)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  std::error_code failed;
  fs::path parent = fs::path(path).parent_path();
  if (parent.empty()) parent = ".";
  if (how == Open::kCreate) {
    fs::create_directories(parent, failed);
    if (failed) throw io::os_error("mkdir", parent, -failed.value());
  } else if (!fs::exists(path)) {
    throw Error(Code::kNotFound,
                path + ": no such registry",
                "training makes one; kexue runs rebuild makes it again");
  }
  impl_->home = fs::weakly_canonical(parent);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
                    (how == Open::kCreate ? SQLITE_OPEN_CREATE : 0);
  // The absolute name: NOFOLLOW looks at every part of the given one.
  const std::string file = (impl_->home / fs::path(path).filename()).string();
  int rc = sqlite3_open_v2(file.c_str(), &impl_->db, flags, nullptr);
  if (rc != SQLITE_OK) impl_->fail(rc);
  sqlite3* db = impl_->db;
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kPatienceMs);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kTextBytes);
  // The file may come from someone else.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  impl_->run("PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON");
  impl_->run("BEGIN IMMEDIATE");
  const int application = pragma(path, db, "PRAGMA application_id");
  const int version = pragma(path, db, "PRAGMA user_version");
  const int tables = pragma(path, db, "SELECT count(*) FROM sqlite_schema");
  if (application == 0 && version == 0 && tables == 0) {
    impl_->run(kSchema);
    impl_->run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                           kApplication,
                           kVersion)
                   .c_str());
  } else if (application != kApplication) {
    throw Error(Code::kCorruptData,
                path + ": a database, but no registry of runs",
                "name another with --registry");
  } else if (version != kVersion) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: a registry of version {}, {} is read",
                            path,
                            version,
                            kVersion),
                "kexue runs rebuild makes it again");
  }
  impl_->run("COMMIT");
}

Registry::~Registry() = default;

void Registry::put(const RunEntry& e) {
  const std::string folder = stored_folder(impl_->home, e.folder);
  const std::string metrics = json_of(e);
  Statement s(impl_->path,
              impl_->db,
              "INSERT OR REPLACE INTO runs (id, folder, status, note, "
              "config_hash, config, started, ended, steps, total_steps, "
              "metrics) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  s.bind(e.id);
  s.bind(folder);
  s.bind(e.status);
  s.bind(e.note);
  s.bind(e.config_hash);
  s.bind(e.config);
  s.bind(e.started);
  s.bind(e.ended);
  s.bind(e.steps);
  s.bind(e.total_steps);
  s.bind(metrics);
  s.step();
}

std::vector<RunEntry> Registry::entries() const {
  Statement s(impl_->path,
              impl_->db,
              "SELECT id, folder, status, note, config_hash, config, started, "
              "ended, steps, total_steps, metrics FROM runs "
              "ORDER BY started, id");
  std::vector<RunEntry> out;
  while (s.step()) {
    RunEntry e;
    e.id = s.text(0);
    e.folder = (impl_->home / s.text(1)).lexically_normal().string();
    e.status = s.text(2);
    e.note = s.text(3);
    e.config_hash = s.text(4);
    e.config = s.text(5);
    e.started = s.number(6);
    e.ended = s.number(7);
    e.steps = s.count(8);
    e.total_steps = s.count(9);
    read_metrics(s.text(10), impl_->path + ": run " + e.id, &e);
    out.push_back(std::move(e));
  }
  return out;
}

}  // namespace kexue::train
