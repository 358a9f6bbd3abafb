// A family is one file in native/families/: the formula of its loss and a line that puts it on the list.
#pragma once

#include <string_view>

#include "losses/outputs_loss.hpp"

namespace normball {

class Family : public LossTraits {
 public:
  using Make = std::unique_ptr<const Loss> (*)(double parameter, const double* y, const double* weights, Index n_rows);

  using MakeOutputs = std::unique_ptr<const OutputsLoss> (*)(Index n_outputs, const double* y, const double* weights,
                                                             Index n_rows);

  Family(std::string_view name, const LossTraits& traits, Make loss) noexcept
      : LossTraits(traits), name(name), loss(loss), outputs_loss(nullptr) {
    first_ = this;
  }
  // of several outputs, whose targets are column-major
  Family(std::string_view name, const LossTraits& traits, MakeOutputs loss) noexcept
      : LossTraits(traits), name(name), loss(nullptr), outputs_loss(loss) {
    first_ = this;
  }

  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family() = default;

  // null where there is none of this name
  static const Family* find(std::string_view name) noexcept {
    const Family* family = first_;
    while (family != nullptr && family->name != name) family = family->next_;
    return family;
  }

  const std::string_view name;
  const Make loss;                 // null where there are several outputs
  const MakeOutputs outputs_loss;  // null where there is one

 private:
  static inline const Family* first_ = nullptr;
  const Family* next_ = first_;  // those made before it
};

template <class L>
Family family_of_outputs(std::string_view name, const LossTraits& traits) noexcept {
  return {
      name, traits,
      [](Index n_outputs, const double* y, const double* weights, Index n_rows) -> std::unique_ptr<const OutputsLoss> {
        return std::make_unique<L>(n_outputs, y, weights, n_rows);
      }};
}

}  // namespace normball
