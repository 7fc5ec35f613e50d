#include "tokenizer/grapheme.h"

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

using unicode::Cluster;

bool is_control(Cluster c) {
  return c == Cluster::kControl || c == Cluster::kCr || c == Cluster::kLf;
}

bool is_extend(Cluster c) {
  return c == Cluster::kExtend || c == Cluster::kExtendLinker || c == Cluster::kExtendConjunct;
}

/// What the rules remember of the cluster so far.
struct State {
  Cluster last;
  bool odd_indicators;        // an odd number of regional indicators ends here
  bool pictograph_then_zwj;   // a pictograph, Extend*, ZWJ
  bool pictograph_open;       // a pictograph, Extend*
  bool conjunct_open;         // a consonant, then linkers and what a conjunct allows
  bool conjunct_with_linker;  // and a linker is among them
};

State begin_state(Cluster first) {
  State state{};
  state.last = first;
  state.odd_indicators = first == Cluster::kRegionalIndicator;
  state.pictograph_open = first == Cluster::kPictographic;
  state.conjunct_open = first == Cluster::kConsonant;
  return state;
}

/// Rules GB3 to GB999 in order.
bool breaks_before(const State& state, Cluster next) {
  const Cluster last = state.last;
  if (last == Cluster::kCr && next == Cluster::kLf) return false;
  if (is_control(last) || is_control(next)) return true;
  if (last == Cluster::kL &&
      (next == Cluster::kL || next == Cluster::kV || next == Cluster::kLv || next == Cluster::kLvt))
    return false;
  if ((last == Cluster::kLv || last == Cluster::kV) && (next == Cluster::kV || next == Cluster::kT))
    return false;
  if ((last == Cluster::kLvt || last == Cluster::kT) && next == Cluster::kT) return false;
  if (is_extend(next) || next == Cluster::kZwj || next == Cluster::kSpacingMark) return false;
  if (last == Cluster::kPrepend) return false;
  if (next == Cluster::kConsonant && state.conjunct_with_linker) return false;
  if (next == Cluster::kPictographic && state.pictograph_then_zwj) return false;
  return !(last == Cluster::kRegionalIndicator && next == Cluster::kRegionalIndicator &&
           state.odd_indicators);
}

void advance(State& state, Cluster next) {
  state.odd_indicators = next == Cluster::kRegionalIndicator && !state.odd_indicators;
  state.pictograph_then_zwj = state.pictograph_open && next == Cluster::kZwj;
  state.pictograph_open = next == Cluster::kPictographic || (state.pictograph_open && is_extend(next));
  if (next == Cluster::kConsonant) {
    state.conjunct_open = true;
    state.conjunct_with_linker = false;
  } else {
    state.conjunct_open &=
        next == Cluster::kExtendLinker || next == Cluster::kExtendConjunct || next == Cluster::kZwj;
    state.conjunct_with_linker =
        state.conjunct_open && (state.conjunct_with_linker || next == Cluster::kExtendLinker);
  }
  state.last = next;
}

}  // namespace

size_t cluster_end(std::string_view text, size_t begin) {
  const char* p = text.data() + begin;
  const char* const end = text.data() + text.size();
  State state = begin_state(unicode::properties(utf8::decode(p)).cluster);
  while (p < end) {
    const char* next = p;
    const Cluster cluster = unicode::properties(utf8::decode(next)).cluster;
    if (breaks_before(state, cluster)) break;
    advance(state, cluster);
    p = next;
  }
  return static_cast<size_t>(p - text.data());
}

}  // namespace enc
