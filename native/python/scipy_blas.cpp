#include "python/scipy_blas.hpp"

#include <cstdio>  // nanobind's headers use stderr without it
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>

#include "core/blas.hpp"

namespace nb = nanobind;

namespace normball {
namespace {

// Whether Cython's word for an argument is a pointer to T; its typedef of double ends in _d.
template <class T>
bool points_to(std::string_view word) {
  if constexpr (std::is_same_v<T, char>) return word == "char *";
  if constexpr (std::is_same_v<T, int>) return word == "int *";
  if constexpr (std::is_same_v<T, double>) return word == "double *" || word.ends_with("_d *");
}

// the words between the brackets of "void (char *, int *)"
std::vector<std::string_view> argument_words(std::string_view signature) {
  std::vector<std::string_view> words;
  if (!signature.starts_with("void (") || !signature.ends_with(')')) return words;
  signature = signature.substr(6, signature.size() - 7);
  for (std::size_t end = signature.find(", "); end != signature.npos; end = signature.find(", ")) {
    words.push_back(signature.substr(0, end));
    signature.remove_prefix(end + 2);
  }
  words.push_back(signature);
  return words;
}

template <class... T>
bool agrees(std::string_view signature, void (*)(T*...)) {
  const std::vector<std::string_view> words = argument_words(signature);
  std::size_t at = 0;
  return words.size() == sizeof...(T) && (points_to<T>(words[at++]) && ...);
}

// The name of the capsule is the signature. With 64-bit integers behind these pointers every call would write beyond
// what it was given, without a word.
template <class Function>
void take(const char* module, const char* name, Function*& target) {
  const nb::object capsule = nb::module_::import_(module).attr("__pyx_capi__")[name];
  const char* signature = PyCapsule_GetName(capsule.ptr());
  if (signature == nullptr || !agrees(signature, target)) {
    const std::string text =
        std::string(module) + "." + name + " has the signature " + (signature ? signature : "?") +
        ", and normball calls it with 32-bit integers (int *). Install a scipy built with the usual " +
        "LP64 BLAS, such as PyPI's or conda-forge's.";
    throw nb::import_error(text.c_str());
  }
  target = reinterpret_cast<Function*>(PyCapsule_GetPointer(capsule.ptr(), signature));
}

void take_all() {
  take("scipy.linalg.cython_blas", "dsyrk", blas().dsyrk);
  take("scipy.linalg.cython_blas", "dgemm", blas().dgemm);
  take("scipy.linalg.cython_blas", "dgemv", blas().dgemv);
  take("scipy.linalg.cython_blas", "dtrsm", blas().dtrsm);
  take("scipy.linalg.cython_blas", "dtrsv", blas().dtrsv);
  take("scipy.linalg.cython_lapack", "dpotrf", blas().dpotrf);
  take("scipy.linalg.cython_lapack", "dpstrf", blas().dpstrf);
  take("scipy.linalg.cython_lapack", "dsyevd", blas().dsyevd);
}

}  // namespace

void load_blas() {
  static std::once_flag once;
  const nb::gil_scoped_release no_gil;  // the import in there lets other threads run, which may come to wait here
  std::call_once(once, [] {
    const nb::gil_scoped_acquire gil;
    take_all();
  });
}

}  // namespace normball
