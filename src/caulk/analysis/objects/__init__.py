"""Object graphs: dominators, retained sizes, paths, and the trees and tables that answer questions about a heap."""
