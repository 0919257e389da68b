// A shop that keeps every session for ever: cart REQUESTS. Its allocator writes the profiles while it runs.
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace shop {

struct Session {
  std::string id;
  std::vector<std::string> items;
};

class Store {
 public:
  [[gnu::noinline]] void put_session(int number) {
    auto session = std::make_unique<Session>();
    session->id = "session-" + std::to_string(number);
    for (int line = 0; line < 20; line++) session->items.push_back("item " + std::to_string(number) + std::string(90, '.'));
    sessions_[session->id] = std::move(session);
  }

 private:
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions_;
};

[[gnu::noinline]] std::size_t quote(int number) {
  std::vector<double> prices(2000, number);
  return prices.size() + static_cast<std::size_t>(prices.back());
}

[[gnu::noinline]] void handle(Store& store, int number) {
  if (quote(number) > 0) store.put_session(number);
  asm volatile("");
}

}  // namespace shop

int main(int, char** argv) {
  auto& store = *new shop::Store;
  for (int number = 0; number < std::atoi(argv[1]); number++) shop::handle(store, number);
}
