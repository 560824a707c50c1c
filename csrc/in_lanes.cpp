// Overlap-save with short transforms side by side: a lane holds one complex block or,
// under a real kernel, which never mixes the real and the imaginary part, two real ones.
// Cost a group: one gather, forward, product, inverse of `length` vectors, one scatter.
#include "runtime.h"
#include "transforms.h"

namespace fastconv {
namespace {

// How many outputs each block gives. Neighbouring lanes read and write `apart` bytes an output
// from each other; an odd number of cache lines puts them into different sets of L1, a multiple of
// 4 KB into one, where gathering and scattering take twice as long. Where that costs neither a
// group nor, of several rows, a block more, outputs are given up for it.
Index spread_step(Index longest, Index apart, Index outputs, Index rows, Index slots) {
  constexpr Index kLine = 64;
  const Index lines = longest * apart / kLine, odd = lines - 1 + lines % 2;
  const Index step = odd * kLine / apart;
  if (step < 1) return longest;
  const Index before = ceil_div(outputs, longest), after = ceil_div(outputs, step);
  const bool free = rows > 1 ? after == before : ceil_div(after, slots) == ceil_div(before, slots);
  return free ? step : longest;
}

}  // namespace

Index step_in_lanes(const Problem& p, Index length, Index slots) {
  return spread_step(length - p.kw + 1, 2 * (is_single(p.a_dtype) ? 4 : 8), p.col_hi - p.col_lo,
                     p.row_hi - p.row_lo, slots);
}

namespace {

// The blocks of a group: where each reads and writes, directly where it lies within
// the signal and the window, else by way of a padded copy.
template <class T>
class LaneBlocks {
 public:
  LaneBlocks(const Call<T>& call, Index length, Scratch& scratch)
      : call_(call),
        length_(length),
        slots_(call.kernels.lanes * (call.complex() ? 1 : 2)),
        step_(step_in_lanes(call.p, length, slots_)),
        per_row_(ceil_div(call.p.col_hi - call.p.col_lo, step_)),
        order_(call.p, ceil_div(total(), slots_)),
        input_(scratch.take<void*>(slots_)),
        output_(scratch.take<void*>(slots_)),
        scales_(call, slots_, scratch),
        squares_(scratch.take<T>(2 * call.kernels.lanes)),
        padded_(scratch.take<T>(slots_ * length * call.a_item)),
        results_(scratch.take<T>(slots_ * step_ * call.out_item)) {}

  Index groups() const { return order_.size(); }

  bool place(Index at) {
    first_ = order_[at] * slots_;
    return first_ < total();
  }

  void gather(T* z, int digit) {
    const char* a = call_.p.a + digit * call_.p.a_digits.next;
    for (Index s = 0; s < slots_; ++s) {
      input_[place_of(s)] = input(a, first_ + s, padded_ + s * length_ * call_.a_item);
    }
    const auto read = [&] {
      call_.kernels.gather(blocks(input_, scales_.in(), call_.a_item == 2, false), length_, z,
                           squares_);
    };
    scales_.reset();
    read();
    const auto norm = [&](Index slot) { return call_.kernels.norm(input_[slot], length_); };
    if (call_.balances() && scales_.balance_lanes(squares_, norm)) read();
  }

  // Results of partly wanted blocks are copied to where they belong.
  void scatter(const T* z, Index kernel, int digit) {
    const Problem& p = call_.p;
    out_ = kernel_of(p, kernel, 0, digit).out;
    for (Index s = 0; s < slots_; ++s) output_[place_of(s)] = output(first_ + s, result(s));
    const Blocks to = blocks(output_, scales_.out(), call_.complex(), p.accumulate);
    call_.kernels.scatter(to, call_.p.kw - 1, step_, z);
    for (Index s = 0; s < slots_ && first_ + s < total(); ++s) {
      if (output_[place_of(s)] != result(s)) continue;
      copy_out(wanted(first_ + s), out_step(p), result(s), count(first_ + s), call_.out_item,
               p.accumulate);
    }
  }

 private:
  Index total() const { return per_row_ * (call_.p.row_hi - call_.p.row_lo); }

  // Slots 2l and 2l + 1, neighbours in the signal, share lane l.
  Index place_of(Index slot) const {
    const Index lanes = call_.kernels.lanes;
    return call_.complex() ? slot : slot / 2 + slot % 2 * lanes;
  }
  Index start(Index block) const { return call_.p.col_lo + block % per_row_ * step_; }
  Index count(Index block) const { return std::min(step_, call_.p.col_hi - start(block)); }
  T* result(Index slot) const { return results_ + slot * step_ * call_.out_item; }

  char* wanted(Index block) const {
    const Problem& p = call_.p;
    return out_ + block / per_row_ * p.out_row + (start(block) - p.col_lo) * out_step(p);
  }

  void* input(const char* a, Index block, T* padded) const {
    const Problem& p = call_.p;
    const Index item = call_.a_item, from = start(block) - p.kw + 1;
    if (block >= total()) {
      copy_padded<T>(padded, nullptr, 0, 0, 0, length_, item);
      return padded;
    }
    const char* row = a + (p.row_lo + block / per_row_) * p.a_row;
    if (a_is_dense(p) && from >= 0 && from + length_ <= p.cols) {
      return const_cast<char*>(row + from * a_step(p));
    }
    copy_padded(padded, row, a_step(p), p.cols, from, length_, item);
    return padded;
  }

  void* output(Index block, T* result) const {
    if (out_is_dense(call_.p) && block < total() && count(block) == step_) return wanted(block);
    if (call_.p.accumulate) memset(result, 0, size_t(step_ * call_.out_item) * sizeof(T));
    return result;
  }

  Blocks blocks(void** pointers, const T* scales, bool interleaved, bool accumulate) const {
    const Index lanes = call_.kernels.lanes;
    const bool two = slots_ > lanes;
    return {pointers,    two ? pointers + lanes : nullptr,
            scales,      two ? scales + lanes : scales,
            interleaved, accumulate};
  }

  const Call<T>& call_;
  const Index length_, slots_, step_, per_row_;
  const Order order_;
  Index first_ = 0;
  char* out_ = nullptr;
  void **input_, **output_;
  LaneScales<T> scales_;
  T *squares_, *padded_, *results_;
};

}  // namespace

template <class T>
void overlap_in_lanes(const Call<T>& call, Index length) {
  overlap_groups<LaneBlocks<T>>(call, length, call.p.kw);
}

template void overlap_in_lanes(const Call<float>&, Index);
template void overlap_in_lanes(const Call<double>&, Index);

}  // namespace fastconv
