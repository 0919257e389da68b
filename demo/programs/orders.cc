// A small order service with one leak: every order opens a trading session that nobody closes.
//
// Beside it, and healthy: instruments loaded at the start (large, constant), a cache of quotes (bounded), and what
// every request allocates and frees.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

constexpr int kOrdersPerTick = 20;
constexpr int kCachedQuotes = 1000;

struct Session {
  int order;
  char history[4000];
};

std::map<int, std::vector<double>> quotes;

[[gnu::noinline]] std::vector<std::string> load_instruments() {
  std::vector<std::string> instruments;
  for (int i = 0; i < 20000; i++) instruments.push_back("instrument " + std::to_string(i) + std::string(300, ' '));
  return instruments;
}

[[gnu::noinline]] double quote(int symbol) {
  auto& found = quotes[symbol % kCachedQuotes];
  if (found.empty()) found.assign(50, symbol);
  return found.front();
}

[[gnu::noinline]] Session* open_session(int order) {
  auto* session = new Session();
  session->order = order;
  return session;
}

[[gnu::noinline]] size_t handle_request(int order, const std::vector<std::string>& instruments) {
  const Session* session = open_session(order);
  std::string receipt = instruments[session->order % instruments.size()] + std::to_string(quote(order));
  for (int i = 0; i < 5; i++) receipt += receipt;
  return receipt.size();
}

int main() {
  const char* wanted = std::getenv("DEMO_SECONDS");
  // It counts its work, not the time: on a busy machine it runs for longer, and leaks as much.
  const int ticks = 80 * (wanted ? std::atoi(wanted) : 10);
  const auto instruments = load_instruments();
  int order = 0;
  for (int tick = 0; tick < ticks; tick++) {
    for (int i = 0; i < kOrdersPerTick; i++) handle_request(order++, instruments);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::printf("orders.cc: %d orders served\n", order);
}
