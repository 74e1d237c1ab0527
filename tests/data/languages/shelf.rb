# A base.
module Web
  class Base < Parent
    LIMIT = 3
    attr_reader :x
    # Runs.
    def run!(a)
      1
    end
    def self.build
      2
    end
    class << self
      def open
        3
      end
    end
  end
end
