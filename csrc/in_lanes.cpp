// Overlap-save with short transforms side by side: a lane holds one complex block or,
// under a real kernel, which never mixes the real and the imaginary part, two real ones.
// Cost a group: one gather, forward, product, inverse of `length` vectors, one scatter.
#include "lengths.h"
#include "runtime.h"
#include "transforms.h"
#include "twiddles.h"

namespace fastconv {
namespace {

// The blocks of a group: where each reads and writes, directly where it lies within
// the signal and the window, else by way of a padded copy.
template <class T>
class LaneBlocks {
 public:
  LaneBlocks(const Call<T>& call, Index length, Scratch& scratch)
      : call_(call),
        length_(length),
        step_(length - call.p.kw + 1),
        per_row_(ceil_div(call.p.col_hi - call.p.col_lo, step_)),
        slots_(call.kernels.lanes * (call.complex() ? 1 : 2)),
        input_(scratch.take<void*>(slots_)),
        output_(scratch.take<void*>(slots_)),
        scale_(scratch.take<T>(2 * slots_)),
        squares_(scratch.take<T>(2 * call.kernels.lanes)),
        padded_(scratch.take<T>(slots_ * length * call.a_item)),
        results_(scratch.take<T>(slots_ * step_ * call.out_item)) {
    reset_scales();
  }

  Index total() const { return per_row_ * (call_.p.row_hi - call_.p.row_lo); }
  Index slots() const { return slots_; }
  Index step() const { return step_; }

  void place(Index first) {
    first_ = first;
    for (Index s = 0; s < slots_; ++s) {
      const Index at = place_of(s);
      input_[at] = input(first + s, padded_ + s * length_ * call_.a_item);
      output_[at] = output(first + s, result(s));
    }
  }

  void gather(T* z) {
    const auto read = [&] {
      call_.kernels.gather(blocks(input_, scale_, call_.a_item == 2, false), length_, z, squares_);
    };
    if (balanced_) reset_scales();
    read();
    if (!call_.complex() && balance_lanes()) read();
  }

  Blocks writing() const {
    return blocks(output_, scale_ + slots_, call_.complex(), call_.p.accumulate);
  }

  // Copies the results of partly wanted blocks to where they belong.
  void finish() {
    const Problem& p = call_.p;
    for (Index s = 0; s < slots_ && first_ + s < total(); ++s) {
      if (output_[place_of(s)] != result(s)) continue;
      copy_out(wanted(first_ + s), result(s), count(first_ + s) * call_.out_item, p.accumulate);
    }
  }

 private:
  // Slots 2l and 2l + 1, neighbours in the signal, share lane l.
  Index place_of(Index slot) const {
    const Index lanes = call_.kernels.lanes;
    return call_.complex() ? slot : slot / 2 + slot % 2 * lanes;
  }
  Index start(Index block) const { return call_.p.col_lo + block % per_row_ * step_; }
  Index count(Index block) const { return std::min(step_, call_.p.col_hi - start(block)); }
  T* result(Index slot) const { return results_ + slot * step_ * call_.out_item; }

  T* wanted(Index block) const {
    const Problem& p = call_.p;
    return reinterpret_cast<T*>(p.out + block / per_row_ * p.out_row) +
           (start(block) - p.col_lo) * call_.out_item;
  }

  void* input(Index block, T* padded) const {
    const Problem& p = call_.p;
    const Index item = call_.a_item, from = start(block) - p.kw + 1;
    if (block >= total()) {
      copy_padded<T>(padded, nullptr, 0, 0, length_, item);
      return padded;
    }
    const T* row = reinterpret_cast<const T*>(p.a + (p.row_lo + block / per_row_) * p.a_row);
    if (from >= 0 && from + length_ <= p.cols) return const_cast<T*>(row + from * item);
    copy_padded(padded, row, p.cols, from, length_, item);
    return padded;
  }

  void* output(Index block, T* result) const {
    if (block < total() && count(block) == step_) return wanted(block);
    if (call_.p.accumulate) memset(result, 0, size_t(step_ * call_.out_item) * sizeof(T));
    return result;
  }

  void reset_scales() {
    std::fill_n(scale_, slots_, T(1));
    std::fill_n(scale_ + slots_, slots_, T(power_of_two<T>(call_.v_exponent)));
    balanced_ = false;
  }

  bool balance_lanes() {
    const Index lanes = call_.kernels.lanes;
    for (Index l = 0; l < lanes; ++l) {
      const Balance b = balance<T>(squares_[l], squares_[l + lanes], [&](int half) {
        return call_.kernels.norm(input_[l + half * lanes], length_);
      });
      if (b.re == 0 && b.im == 0) continue;
      scale_[l] = T(power_of_two<T>(-b.re));
      scale_[l + lanes] = T(power_of_two<T>(-b.im));
      scale_[l + 2 * lanes] = T(power_of_two<T>(call_.v_exponent + b.re));
      scale_[l + 3 * lanes] = T(power_of_two<T>(call_.v_exponent + b.im));
      balanced_ = true;
    }
    return balanced_;
  }

  Blocks blocks(void** pointers, T* scales, bool interleaved, bool accumulate) const {
    const Index lanes = call_.kernels.lanes;
    const bool two = slots_ > lanes;
    return {pointers,    two ? pointers + lanes : nullptr,
            scales,      two ? scales + lanes : scales,
            interleaved, accumulate};
  }

  const Call<T>& call_;
  const Index length_, step_, per_row_, slots_;
  Index first_ = 0;
  bool balanced_ = false;  // some lane's halves have scales of their own
  void **input_, **output_;
  T *scale_, *squares_, *padded_, *results_;
};

}  // namespace

template <class T>
void overlap_in_lanes(const Call<T>& call, Index length) {
  Scratch scratch;
  const Index W = call.kernels.lanes;
  const Shared<LaneTable> table = lane_table<T>(length);
  T* z = scratch.take<T>(2 * W * length);
  T* spectrum = scratch.take<T>(2 * length);
  call.kernels.spectrum(call.p.v, call.p.kw, call.v_item == 2, call.v_scale / double(length),
                        table->plan, z, spectrum);
  LaneBlocks<T> blocks(call, length, scratch);
  for (Index first = 0; first < blocks.total(); first += blocks.slots()) {
    blocks.place(first);
    blocks.gather(z);
    call.kernels.transform(z, table->plan, kFilter, spectrum);
    call.kernels.scatter(blocks.writing(), length - blocks.step(), blocks.step(), z);
    blocks.finish();
    call.context.spend(double(W) * transform_macs(length));
  }
}

template void overlap_in_lanes(const Call<float>&, Index);
template void overlap_in_lanes(const Call<double>&, Index);

}  // namespace fastconv
