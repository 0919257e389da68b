import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A program of the JVM for recordings: Program MODE SECONDS MEGABYTES; says the bytes of its heap each 100 ms. */
public class Program {
    static final double DAY = 24;
    static final List<Object> KEPT = new ArrayList<>();
    static final Map<Integer, byte[]> CACHE = new HashMap<>();
    static List<byte[]> job = new ArrayList<>();
    static Object sink;

    public static void main(String[] args) throws Exception {
        String mode = args[0];
        double seconds = Double.parseDouble(args[1]);
        double megabytes = Double.parseDouble(args[2]);
        Random random = new Random();
        for (int i = 0; i < 24; i++) KEPT.add(new byte[1 << 20]);
        long begun = System.nanoTime(), said = begun;
        double owed = 0;
        while (true) {
            double t = (System.nanoTime() - begun) / 1e9;
            if (t >= seconds) return;
            double hour = t % DAY;
            double load = (0.55 - 0.4 * Math.cos(2 * Math.PI * hour / DAY)) * (0.8 + 0.4 * random.nextDouble());
            for (int i = 0; i < load * 30; i++) sink = new byte[1024 + random.nextInt(32 * 1024)];
            boolean atNight = hour > 3 && hour < 7;
            double tick = 0.02 / seconds * megabytes * (1 << 20);
            switch (mode) {
                case "leak", "direct" -> owed += tick * load / 0.55;
                case "night" -> owed += atNight ? tick * 6 : 0;
                case "cache" -> {
                    for (int i = 0; i < load * 12; i++)
                        CACHE.computeIfAbsent(random.nextInt((int) megabytes * 64), k -> new byte[16 * 1024]);
                }
                case "batch" -> {
                    if (atNight && job.size() < megabytes) job.add(new byte[1 << 20]);
                    else if (!atNight) job = new ArrayList<>();
                }
                default -> { }
            }
            for (; owed > 8192; owed -= 8192) KEPT.add(mode.equals("direct") ? touched() : new byte[8192]);
            if (System.nanoTime() - said > 100_000_000L) {
                Runtime runtime = Runtime.getRuntime();
                System.out.println(runtime.totalMemory() - runtime.freeMemory());
                said = System.nanoTime();
            }
            Thread.sleep(20);
        }
    }

    static ByteBuffer touched() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
        buffer.put(0, (byte) 1);
        buffer.put(4096, (byte) 1);
        return buffer;
    }
}
