#include "kernels/weight_kernels.hpp"

#include <algorithm>
#include <cmath>

#include "core/cpu.hpp"

namespace normball::kernels {
namespace {

using cpu::PerCpu;

constexpr Index block = 16384;

template <class T>
NORMBALL_INLINE T soft(T w, T threshold) {
  const T low = w < -threshold ? -threshold : w;
  return w - (low > threshold ? threshold : low);  // w - w is an exact zero
}

template <class T, bool Adaptive, bool Ridge>
NORMBALL_INLINE void shrink_block(T* __restrict w, const T* __restrict second, Index n, T step, T root, T eps, T unseen,
                                  T l1, T l2) {
  for (Index i = 0; i < n; ++i) {
    T d = step;
    if (Adaptive) {
      const T scale = root * std::sqrt(second[i]) + eps;
      d = step / (second[i] > T{0} ? scale : unseen);
    }
    const T value = soft(w[i], d * l1);
    w[i] = Ridge ? value / (T{1} + d * l2) : value;
  }
}

}  // namespace

template <class T>
void shrink(T* w, Index n, const Shrinkage<T>& by, Threads& threads) {
  const Index count = (n + block - 1) / block;
  threads.parallel_for(count, [&](Index task) {
    const Index start = (count - 1 - task) * block;
    const Index size = std::min(block, n - start);
    const auto run = [&](auto kernel) {
      kernel(w + start, by.second == nullptr ? nullptr : by.second + start, size, by.step, by.root, by.eps, by.unseen,
             by.l1, by.l2);
    };
    if (by.second != nullptr) {
      run(by.l2 != T{0} ? PerCpu<shrink_block<T, true, true>>::run : PerCpu<shrink_block<T, true, false>>::run);
    } else {
      run(by.l2 != T{0} ? PerCpu<shrink_block<T, false, true>>::run : PerCpu<shrink_block<T, false, false>>::run);
    }
  });
}

template void shrink(float*, Index, const Shrinkage<float>&, Threads&);
template void shrink(double*, Index, const Shrinkage<double>&, Threads&);

}  // namespace normball::kernels
