// What the readers accept at most. A file beyond a limit is kUnsupported, and
// the text names the limit.
#pragma once

#include <cstdint>

namespace kexue::io::limits {

inline constexpr uint64_t kMiB = uint64_t{1} << 20;

// safetensors
inline constexpr uint64_t kSafetensorsHeaderBytes = 100'000'000;
inline constexpr uint64_t kTensorRank = 16;
inline constexpr uint64_t kShardIndexBytes = 64 * kMiB;

// checkpoints
inline constexpr uint64_t kManifestBytes = kMiB;
// GGUF
inline constexpr uint64_t kGgufTensors = 65'536;
inline constexpr uint64_t kGgufKeys = 65'536;
inline constexpr uint64_t kGgufKeyBytes = 256;
inline constexpr uint64_t kGgufNameBytes = 255;
inline constexpr uint64_t kGgufStringBytes = 16 * kMiB;
inline constexpr uint64_t kGgufHeaderBytes = 256 * kMiB;
inline constexpr uint64_t kGgufBlocks = 1'024;  // layers

// protobuf, ONNX
inline constexpr uint64_t kProtobufBytes = (uint64_t{1} << 31) - 1;
inline constexpr uint64_t kProtobufDepth = 64;
inline constexpr uint64_t kOnnxNodes = 1'000'000;
inline constexpr uint64_t kOnnxTensors = 1'000'000;
inline constexpr uint64_t kOnnxEdges = 4'000'000;
inline constexpr uint64_t kOnnxTextBytes = kMiB;

// TensorFlow checkpoints
inline constexpr uint64_t kCheckpointIndexBytes = 256 * kMiB;
inline constexpr uint64_t kCheckpointShards = 10'000;
inline constexpr uint64_t kTableEntries = 1'000'000;
inline constexpr uint64_t kTableKeyBytes = 4'096;
inline constexpr uint64_t kTableKeysBytes = 64 * kMiB;

// JSON from outside
inline constexpr uint64_t kJsonBytes = 128 * kMiB;
inline constexpr uint64_t kJsonDepth = 32;
inline constexpr uint64_t kJsonValues = uint64_t{1} << 23;

// tokenizers and vocabularies
inline constexpr uint64_t kVocabBytes = 128 * kMiB;
inline constexpr int64_t kTokenId = (int64_t{1} << 24) - 1;  // largest id
inline constexpr uint64_t kAddedTokens = 65'536;

// gzip and zstd
inline constexpr uint64_t kUnpackedBytes = uint64_t{64} << 30;
inline constexpr int kZstdWindowLog = 27;  // 128 MiB

// lines of text
inline constexpr uint64_t kLineBytes = 16 * kMiB;
inline constexpr uint64_t kColumns = 4'096;
inline constexpr uint64_t kClasses = 65'536;

// images
inline constexpr int64_t kPngSide = 16'384;  // rows or columns

// event files
inline constexpr uint64_t kEventBytes = 64 * kMiB;  // of a record

}  // namespace kexue::io::limits
