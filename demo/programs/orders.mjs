// A small price feed with one leak: every session listens to the market, and no session ever stops listening.
//
// Beside it, and healthy: instruments loaded at the start (large, constant), a cache of quotes (bounded), and the
// garbage of every session.
import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const SECONDS = Number(process.env.DEMO_SECONDS ?? 10);
const SESSIONS_PER_TICK = 5;
const CACHED_QUOTES = 500;

const market = new EventEmitter();
market.setMaxListeners(0); // somebody silenced the warning
const quotes = new Map();

function loadInstruments() {
  return Array.from({ length: 60_000 }, (_, n) => ({ symbol: `INS${n}`, lot: n % 7, venue: `venue ${n % 11}` }));
}

function quote(symbol) {
  if (!quotes.has(symbol)) {
    quotes.set(symbol, Array.from({ length: 100 }, (_, n) => n * 1.01));
    if (quotes.size > CACHED_QUOTES) quotes.delete(quotes.keys().next().value);
  }
  return quotes.get(symbol);
}

function watchPrices(session) {
  const history = new Array(2000).fill(0);
  market.on("price", (tick) => {
    history[tick % history.length] = session.number;
  });
}

function openSession(number, instrument) {
  const session = { number, instrument, opened: quote(instrument.symbol)[0] };
  watchPrices(session);
  return session;
}

function acceptClient(number, instruments) {
  const session = openSession(number, instruments[number % instruments.length]);
  return JSON.stringify(session);
}

async function serve(instruments) {
  const end = performance.now() + SECONDS * 1000;
  let number = 0;
  for (let tick = 0; performance.now() < end; tick++) {
    for (let n = 0; n < SESSIONS_PER_TICK; n++) acceptClient(number++, instruments);
    if (tick % 10 === 0) market.emit("price", tick);
    await sleep(20);
  }
  return number;
}

console.log(`orders.mjs: ${(await serve(loadInstruments())).toLocaleString("en")} sessions served`);
