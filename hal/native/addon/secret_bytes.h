// Byte buffers that may hold secrets: wiped before their memory goes back to the heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace enigm {

template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  explicit WipingAllocator(const WipingAllocator<U> &) noexcept {}

  T *allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T *memory, size_t count) noexcept {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator &) const = default;
};

using SecretBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;
using Bytes = std::span<const uint8_t>;

}  // namespace enigm
