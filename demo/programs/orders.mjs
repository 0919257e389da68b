// A small price feed with one leak: every session listens to the market, and no session ever stops listening.
//
// Beside it, and healthy: instruments loaded at the start (large, constant), a cache of quotes (bounded), and the
// garbage of every session.
import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { writeHeapSnapshot } from "node:v8";

// It counts its work, not the time: on a busy machine it runs for longer, and leaks as much.
const TICKS = Math.floor(40 * Number(process.env.DEMO_SECONDS ?? 10));
const DUMPS = process.env.DEMO_DUMPS;
const SESSIONS_PER_TICK = 5;
const CACHED_QUOTES = 500;

const market = new EventEmitter();
market.setMaxListeners(0); // somebody silenced the warning
const quotes = new Map();

function loadInstruments() {
  return Array.from({ length: 3_000 }, (_, n) => ({ symbol: `INS${n}`, prices: new Array(200).fill(n) }));
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

// Writes all that is held here, when the demo asks for it.
function dump(name) {
  writeHeapSnapshot(`${DUMPS}/${name}.heapsnapshot`);
}

async function serve(instruments) {
  const early = Math.floor(TICKS * 0.3);
  const late = Math.floor(TICKS * 0.7);
  let number = 0;
  for (let tick = 0; tick < TICKS; tick++) {
    if (DUMPS && tick === early) dump("early");
    if (DUMPS && tick === late) dump("late");
    for (let n = 0; n < SESSIONS_PER_TICK; n++) acceptClient(number++, instruments);
    if (tick % 10 === 0) market.emit("price", tick);
    await sleep(20);
  }
  return number;
}

console.log(`orders.mjs: ${(await serve(loadInstruments())).toLocaleString("en")} sessions served`);
