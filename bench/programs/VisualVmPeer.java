import java.io.File;
import java.util.List;
import org.graalvm.visualvm.lib.jfluid.heap.*;

/** What VisualVM's own library needs for the 20 objects that retain the most, and a class histogram. */
public class VisualVmPeer {
    public static void main(String[] args) throws Exception {
        Heap heap = HeapFactory.createHeap(new File(args[0]));
        long objects = heap.getSummary().getTotalLiveInstances();
        System.out.println("objects " + objects);
        for (Object found : heap.getBiggestObjectsByRetainedSize(20)) {
            Instance instance = (Instance) found;
            System.out.println(instance.getRetainedSize() + " " + instance.getJavaClass().getName());
        }
    }
}
