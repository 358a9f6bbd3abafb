// How far a screen's products with one vector can be off: by missed_j times the one and held_j times the other, two
// numbers that the screen knows of each column.
#pragma once

namespace normball {

struct Slack {
  double missed = 0.0;
  double held = 0.0;
};

}  // namespace normball
