// Heaps of Node.js with known holders, written as `.heapsnapshot`.
//
//   node bench/programs/heap_maker.mjs leaks OUT.heapsnapshot            a small service with five leaks
//   node bench/programs/heap_maker.mjs growing OUT-%.heapsnapshot [N]    three snapshots of one leak (% is 1, 2, 3)
//   node bench/programs/heap_maker.mjs size OUT.heapsnapshot NODES       about that many nodes: 2300000 gives 164 MB,
//                                                                        10500000 gives 725 MB (needs --max-old-space-size)
import { EventEmitter } from "node:events";
import { writeHeapSnapshot } from "node:v8";

class Quote {
  constructor(id) {
    this.id = id;
    this.symbol = `SYM-${id}`;
    this.bid = id + 0.25;
    this.book = { side: id % 2 ? "buy" : "sell", depth: [id, id + 1] };
  }
}

class QuoteCache {
  constructor() {
    this.byId = new Map();
  }
  put(id) {
    this.byId.set(`quote-${id}`, new Quote(id));
  }
}

class Session {
  constructor(user) {
    this.user = user;
    this.basket = [user, user + 1];
  }
}

class Order {
  constructor(id, previous) {
    this.id = id;
    this.previous = previous;
    this.lines = [new OrderLine(id), new OrderLine(id + 1)];
    this.note = `note of order ${id}`;
  }
}

class OrderLine {
  constructor(id) {
    this.sku = id % 1000;
    this.price = id * 1.01;
  }
}

class Book {
  constructor() {
    this.orders = [];
    this.byUser = {};
  }
}

const held = { quoteCache: new QuoteCache(), bus: new EventEmitter(), handlers: [], timers: [], book: new Book() };

function leaks() {
  for (let id = 0; id < 20_000; id++) held.quoteCache.put(id);
  held.bus.setMaxListeners(0);
  for (let i = 0; i < 5_000; i++) {
    const buffer = new Array(4).fill(i);
    held.bus.on("tick", function onTick() {
      return buffer;
    });
  }
  for (let i = 0; i < 3_000; i++) {
    const session = new Session(i);
    held.handlers.push(function handleRequest() {
      return session.user;
    });
  }
  for (let i = 0; i < 2_000; i++) {
    const order = new OrderLine(i);
    held.timers.push(
      setTimeout(function retry() {
        return order;
      }, 3_600_000),
    );
  }
  // Each turn waits for the one before it, the first for ever: nobody may forget any of them.
  held.chain = new Promise(() => {});
  let last = held.chain;
  for (let i = 0; i < 2_000; i++) last = last.then(() => i);
  const table = new WeakMap();
  held.weak = { table, keys: [] };
  for (let i = 0; i < 500; i++) {
    const key = { key: i };
    table.set(key, new Session(i));
    held.weak.keys.push(key);
  }
  for (let i = 0; i < 1_000; i++) held.book.byUser[`user ${i}`] = new OrderLine(i);
}

function fill(nodes) {
  // 11.35 nodes an order, counted in a snapshot.
  const orders = Math.round(nodes / 11.35);
  let previous = null;
  for (let id = 0; id < orders; id++) {
    const order = new Order(id, id % 100 ? previous : null);
    previous = order;
    held.book.orders.push(order);
    if (id % 4 === 0) held.quoteCache.put(id);
    if (id % 8 === 0) held.handlers.push(() => order.id + id);
  }
}

const [mode, out, count] = process.argv.slice(2);
if (mode === "leaks") {
  leaks();
  writeHeapSnapshot(out);
} else if (mode === "growing") {
  leaks();
  for (let turn = 1; turn <= 3; turn++) {
    for (let i = 0; i < Number(count ?? 8_000); i++) {
      held.quoteCache.put(turn * 10_000_000 + i);
      if (i % 10 === 0) held.bus.on("tick", () => turn + i);
    }
    writeHeapSnapshot(out.replace("%", String(turn)));
  }
} else if (mode === "size") {
  fill(Number(count));
  writeHeapSnapshot(out);
} else {
  console.error("usage: heap_maker.mjs leaks|growing|size OUT [NUMBER]");
  process.exit(2);
}
process.exit(0);
