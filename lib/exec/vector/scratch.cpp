#include "lib/exec/vector/scratch.h"

#include <array>
#include <memory>
#include <new>

namespace intaglio {

float* scratch(Scratch purpose, std::int64_t floats) {
  struct Piece {
    std::int64_t floats = 0;
    std::unique_ptr<float, void (*)(float*)> data{
        nullptr, [](float* p) { ::operator delete (p, std::align_val_t{64}); }};
  };
  thread_local std::array<Piece, 2> pieces;
  Piece& piece = pieces[static_cast<std::size_t>(purpose)];
  if (piece.floats < floats) {
    piece.floats = 0;
    piece.data.reset();
    piece.data.reset(static_cast<float*>(
        ::operator new (static_cast<std::size_t>(floats) * sizeof(float), std::align_val_t{64})));
    piece.floats = floats;
  }
  return piece.data.get();
}

}  // namespace intaglio
