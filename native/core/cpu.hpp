// Which instructions the inner loops use. A loop is written once, as a function that is always inlined, and
// PerCpu<loop>::run compiles it for every level and calls the one in force; a loop over vectors is named once for each
// length of a register, PerCpu<loop<64>, loop<32>, loop<16>>, since longer ones are taken apart (those that a condition
// chooses from number by number). The choice is our own and not the loader's (ifunc, target_clones), so that it works
// with every compiler that knows target attributes, also for templates and under the sanitizers, and so that a test can
// lower it. The attribute stands on single functions, since a file compiled for one CPU would leave its copies of the
// standard library's inline functions to all others.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#define NORMBALL_INLINE inline __attribute__((always_inline))

// GCC on Windows aligns the stack to 16 bytes only, which 32-byte vectors do not survive (GCC bug 54412).
#if defined(__x86_64__) && !defined(NORMBALL_PORTABLE) && (defined(__clang__) || !defined(_WIN32))
#define NORMBALL_X86_LEVELS 1
#define NORMBALL_AVX2 __attribute__((target("avx2,fma")))
#define NORMBALL_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#define NORMBALL_AVX512_VNNI __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#else
#define NORMBALL_X86_LEVELS 0
#endif

namespace normball::cpu {

// each has all that the one before it has; the last one multiplies bytes sixty-four at a time
enum class Level : std::uint8_t { plain, avx2, avx512, avx512_vnni };
inline constexpr std::array level_names{"plain", "avx2", "avx512", "avx512_vnni"};

inline Level highest_level() noexcept {
#if NORMBALL_X86_LEVELS
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Level::plain;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return Level::avx2;
  }
  return __builtin_cpu_supports("avx512vnni") ? Level::avx512_vnni : Level::avx512;
#else
  return Level::plain;
#endif
}

inline std::atomic<Level> level_in_force = highest_level();
inline Level level() { return level_in_force.load(std::memory_order_relaxed); }

template <auto Avx512, auto Avx2 = Avx512, auto Plain = Avx2>
struct PerCpu;

template <class Result, class... Arguments, Result (*Avx512)(Arguments...), Result (*Avx2)(Arguments...),
          Result (*Plain)(Arguments...)>
struct PerCpu<Avx512, Avx2, Plain> {
#if NORMBALL_X86_LEVELS
  static Result run(Arguments... arguments) {
    switch (level()) {
      case Level::avx512_vnni:
      case Level::avx512:
        return run_avx512(arguments...);
      case Level::avx2:
        return run_avx2(arguments...);
      default:
        return run_plain(arguments...);
    }
  }

 private:
  NORMBALL_AVX512 static Result run_avx512(Arguments... arguments) { return Avx512(arguments...); }
  NORMBALL_AVX2 static Result run_avx2(Arguments... arguments) { return Avx2(arguments...); }
  static Result run_plain(Arguments... arguments) { return Plain(arguments...); }
#else
  static Result run(Arguments... arguments) { return Plain(arguments...); }
#endif
};

}  // namespace normball::cpu
