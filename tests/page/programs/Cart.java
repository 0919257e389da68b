// A shop that keeps every session for ever: java Cart.java OUT writes a heap dump each thousand requests.
import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public class Cart {
    static final class Session {
        final String id;
        final List<String> items = new ArrayList<>();

        Session(int number) {
            id = "session-" + number;
            for (int line = 0; line < 8; line++) items.add("item " + number + " " + line);
        }
    }

    static final class Store {
        final Map<Integer, Session> sessions = new HashMap<>();

        void putSession(int number) {
            sessions.put(number, new Session(number));
        }
    }

    static final Store STORE = new Store();

    public static void main(String[] arguments) throws IOException {
        var bean = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        for (int part = 1; part <= 2; part++) {
            for (int request = 0; request < 1000; request++) STORE.putSession(part * 1000 + request);
            bean.dumpHeap(arguments[0] + "/jvm." + part + ".hprof", true);
        }
    }
}
