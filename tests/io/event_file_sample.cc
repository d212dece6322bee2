// event_file_sample FOLDER: an event file with one of everything, for readers
// that are not ours (event_file_test.py knows the values).
#include <cmath>
#include <vector>

#include "kexue/io/event_file.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  namespace io = kexue::io;
  io::EventFile file(argv[1], 1'700'000'000.0);
  for (int step = 1; step <= 20; ++step) {
    io::EventSummary summary;
    summary.scalar("train/loss", 1.0 / step);
    summary.scalar("train/lr", step * 1e-5);
    file.write(1'700'000'000.0 + step, step, summary);
  }
  std::vector<float> values;
  for (int i = -500; i <= 500; ++i) {
    values.push_back(static_cast<float>(i) * 0.01f);
  }
  io::EventSummary last;
  last.histogram("weights", io::histogram_of(values));
  last.text("config", "**lr** = 5e-05\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
  if (io::has_png()) {
    io::Image image{.width = 3, .height = 2};
    for (int i = 0; i < 18; ++i) {
      image.pixels.push_back(static_cast<uint8_t>(i * 14));
    }
    last.image("picture", image);
  }
  last.scalar("nothing", std::nan(""));
  file.write(1'700'000'021.0, 20, last);
  file.sync();
  return 0;
}
