// SPDX-License-Identifier: MIT
#include "data/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

namespace ebm {

namespace {

constexpr std::string_view ordered_dict = "collections OrderedDict";

}  // namespace

/// The stack machine of the format. A mark is where the stack stood.
class Unpickler {
 public:
  Unpickler(std::span<const uint8_t> bytes, std::span<const std::string_view> known, Pickle& pickle)
      : bytes_(bytes), known_(known), pickle_(pickle) {}

  void run() {
    while (step()) {
    }
    pickle_.root_ = pop();
    pickle_.size_ = at_;
  }

 private:
  /// One operation; false after the last.
  bool step() {
    const uint8_t operation = byte();
    switch (operation) {
      case 0x80:  // PROTO
        return protocol(byte());
      case '.':  // STOP
        return false;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return true;
      case 'c':  // GLOBAL
        return global();
      case 'R':  // REDUCE
        return call();
      case 'b':  // BUILD
        return build();
      case 'Q':  // BINPERSID
        return push(PicklePersistent{pop()});
      case 'q':  // BINPUT
        return remember(byte());
      case 'r':  // LONG_BINPUT
        return remember(number<uint32_t>());
      case 'h':  // BINGET
        return recall(byte());
      case 'j':  // LONG_BINGET
        return recall(number<uint32_t>());
      default:
        return plain_value(operation) || container(operation) || unknown(operation);
    }
  }

  bool plain_value(uint8_t operation) {
    switch (operation) {
      case 'N':
        return push(PickleNone{});
      case 0x88:
        return push(true);
      case 0x89:
        return push(false);
      case 'J':  // BININT
        return push(int64_t{static_cast<int32_t>(number<uint32_t>())});
      case 'K':  // BININT1
        return push(int64_t{byte()});
      case 'M':  // BININT2
        return push(int64_t{number<uint16_t>()});
      case 0x8A:  // LONG1
        return push(long_number(byte()));
      case 'G':  // BINFLOAT, the one big-endian number
        return push(std::bit_cast<double>(__builtin_bswap64(number<uint64_t>())));
      case 'X':  // BINUNICODE
      case 'T':  // BINSTRING, of Python 2
        return push(text(number<uint32_t>()));
      case 'U':  // SHORT_BINSTRING
        return push(text(byte()));
      default:
        return false;
    }
  }

  bool container(uint8_t operation) {
    switch (operation) {
      case ')':
        return push(PickleSequence{});
      case 0x85:  // TUPLE1
      case 0x86:
      case 0x87:
        return push(PickleSequence{popped(operation - 0x84u)});
      case 't':
        return push(PickleSequence{after_mark()});
      case ']':
        return push(PickleSequence{});
      case '}':
        return push(PickleDict{});
      case 'a':  // APPEND
        return append(popped(1));
      case 'e':  // APPENDS
        return append(after_mark());
      case 's':  // SETITEM
        return set(popped(2));
      case 'u':  // SETITEMS
        return set(after_mark());
      default:
        return false;
    }
  }

  [[noreturn]] static bool unknown(uint8_t operation) {
    throw FormatError(
        fmt::format("its pickle has operation 0x{:02x}, which no file of weights needs", operation));
  }

  static bool protocol(uint8_t version) {
    if (version == 2) return true;
    throw FormatError(fmt::format("its pickle has protocol {}, not 2, which torch.save writes", version));
  }

  bool global() {
    std::string name = line();
    name += " " + line();
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      throw FormatError(
          fmt::format("it names '{}', which no file of weights needs (nothing of it was run)", name));
    return push(PickleGlobal{std::move(name)});
  }

  bool call() {
    const PickleRef arguments = pop(), function = pop();
    const auto* const name = function->get_if<PickleGlobal>();
    const auto* const tuple = arguments->get_if<PickleSequence>();
    if (name == nullptr || tuple == nullptr) damaged("it calls what is no function");
    if (name->name == ordered_dict && tuple->items.empty()) return push(PickleDict{});
    return push(PickleCall{name->name, arguments});
  }

  bool build() {
    pop();
    if (top().get_if<PickleDict>() == nullptr) damaged("it sets what is no dictionary's");
    return true;
  }

  bool append(const std::vector<PickleRef>& items) {
    auto* const list = std::get_if<PickleSequence>(&mutable_top().value);
    if (list == nullptr) damaged("it appends to what is no list");
    list->items.insert(list->items.end(), items.begin(), items.end());
    return true;
  }

  bool set(const std::vector<PickleRef>& items) {
    auto* const dict = std::get_if<PickleDict>(&mutable_top().value);
    if (dict == nullptr || items.size() % 2 != 0) damaged("it sets items of what is no dictionary");
    for (size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
    return true;
  }

  bool remember(uint32_t key) {
    memo_[key] = &mutable_top();
    return true;
  }
  bool recall(uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) damaged("it recalls what it has not kept");
    stack_.push_back(found->second);
    return true;
  }

  // the stack

  template <class T>
  bool push(T value) {
    stack_.push_back(&pickle_.values_.emplace_back(PickleValue{std::move(value)}));
    return true;
  }
  PickleValue& mutable_top() {
    if (stack_.size() <= floor()) damaged("it takes more than there is");
    return *stack_.back();
  }
  const PickleValue& top() { return mutable_top(); }
  PickleRef pop() {
    const PickleRef value = &mutable_top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickleRef> popped(size_t count) {
    if (stack_.size() < floor() + count) damaged("it takes more than there is");
    std::vector<PickleRef> items(stack_.end() - static_cast<ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<PickleRef> after_mark() {
    if (marks_.empty()) damaged("it takes more than there is");
    std::vector<PickleRef> items = popped(stack_.size() - floor());
    marks_.pop_back();
    return items;
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  // the bytes

  std::span<const uint8_t> take(size_t count) {
    if (count > bytes_.size() - at_) damaged("it ends within a value");
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  uint8_t byte() { return take(1).front(); }
  template <class T>
  T number() {
    T value = 0;
    const auto from = take(sizeof(T));
    for (size_t i = sizeof(T); i-- > 0;) value = static_cast<T>(value << 8 | from[i]);
    return value;
  }
  std::string text(size_t count) {
    const auto from = take(count);
    return {from.begin(), from.end()};
  }
  std::string line() {
    std::string all;
    for (uint8_t c = byte(); c != '\n'; c = byte()) all += static_cast<char>(c);
    return all;
  }
  /// Two's complement, of as many bytes as it takes.
  int64_t long_number(size_t count) {
    if (count > sizeof(int64_t)) damaged("it has a number of more than 64 bits");
    const auto from = take(count);
    uint64_t value = count > 0 && from[count - 1] >= 0x80 ? ~uint64_t{0} : 0;
    for (size_t i = count; i-- > 0;) value = value << 8 | from[i];
    return static_cast<int64_t>(value);
  }

  [[noreturn]] static void damaged(const char* how) {
    throw FormatError(fmt::format("its pickle is damaged: {}", how));
  }

  std::span<const uint8_t> bytes_;
  std::span<const std::string_view> known_;
  Pickle& pickle_;
  size_t at_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::map<uint32_t, PickleValue*> memo_;
};

Pickle::Pickle(std::span<const uint8_t> bytes, std::span<const std::string_view> known) {
  Unpickler(bytes, known, *this).run();
}

}  // namespace ebm
